"""How a request to a customer's server ends: an `Answer`, or `NotDelivered` with its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Why there is no answer; stable, it is kept in rows and shown to customers."""

    URL_REFUSED = "url_refused"  # the URL itself, by today's rules
    ADDRESS_REFUSED = "address_refused"  # an address of the host is not public
    NAME_UNKNOWN = "name_unknown"  # no address for the host
    REFUSED = "refused"  # nobody listens there, or there is no way
    TLS = "tls"  # no agreement on encryption, or a certificate that is not trusted
    TIMEOUT = "timeout"  # the deadline passed before the whole answer was there
    CLOSED = "closed"  # the connection ended before the answer did
    PROTOCOL = "protocol"  # what came is not HTTP
    TOO_LARGE = "too_large"  # the head of the answer is larger than is read


class NotDelivered(Exception):
    """There is no answer. Customers may see `kind`; `detail` is for staff and names addresses.

    `address` is what was dialled, if anything was; `duration_ms` counts from the call of `post`.
    """

    def __init__(self, kind: Kind, detail: str = "") -> None:
        self.kind = kind
        self.detail = detail
        self.address: str | None = None
        self.duration_ms = 0
        super().__init__(f"{kind}: {detail}" if detail else str(kind))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said. `headers` have lower-case names; `excerpt` is the first 4 KB of the
    body as it came, neither decompressed nor decoded; `address` is the peer's."""

    status: int
    headers: Mapping[str, str]
    excerpt: bytes
    address: str
    duration_ms: int
