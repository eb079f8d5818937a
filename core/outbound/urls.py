"""`check_url`: may this installation send something to a URL that a customer gave?

The text is read by one strict grammar, and what was read is what is dialled, so that no second
parser can see another host in it. Resolver are turned into ASCII by IDNA 2008 (RFC 5891) after the
mapping of UTS 46; hosts that end in a number are IPv4 addresses, however they are written.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote
from uuid import UUID

import idna
from django.conf import settings

from core import errors
from core.outbound.addresses import Address, why_refused
from core.outbound.dns import Addresses, Lookup, UnknownHost, shared_resolver
from core.resilience.shares import Shares

MAX_CHARACTERS = 2048
LOOKUP_SECONDS = 2.0
LOOKUPS_AT_ONCE = 4  # of a web process: a silent name server must not hold all of its threads
PORTS = {"https": 443, "http": 80}
FIRST_FREE_PORT = 1024

_URL = re.compile(
    r"(?P<scheme>[a-z]+)://(?P<place>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?", re.I
)
_PLACE = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?", re.I)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class UrlInvalid(errors.Invalid):
    """The text is no web address that everybody would read in the same way."""

    code = "url.invalid"
    message = "This is not a complete web address such as https://example.com/path."


class UrlTooLong(errors.Invalid):
    """Longer than is kept and sent."""

    code = "url.too_long"
    message = "A web address can have at most 2048 characters."


class UrlNotHttps(errors.Invalid):
    """Another scheme than https, or than http where the operator allows it."""

    code = "url.not_https"
    message = "The address must begin with https://, or http:// where this installation allows it."


class UrlWithCredentials(errors.Invalid):
    """User information before the host, which would be kept readable and sent on."""

    code = "url.with_credentials"
    message = "The address must not hold a user name or password."


class UrlPortRefused(errors.Invalid):
    """A port that belongs to another service."""

    code = "url.refused_port"
    message = "Use the usual port, or one from 1024 to 65535."


class UrlAddressRefused(errors.Invalid):
    """The host is no public one. Which address was found is not told: it maps the inside."""

    code = "url.refused_address"
    message = "The address does not lead to a public server, so nothing can be sent there."


class UrlNotFound(errors.Invalid):
    """The name server knows no address for the host, or did not answer."""

    code = "url.not_found"
    message = "No server was found under that name. Check it, or try again later."


class UrlLookUpsBusy(errors.TooBusy):
    """Other requests of this process wait for name servers already."""

    code = "url.look_ups_busy"
    message = "Too many addresses are being looked up. Try again shortly."


_lookups = Shares(LOOKUPS_AT_ONCE)


@dataclass(frozen=True, slots=True)
class Target:
    """What a URL comes to: `host` in ASCII and lower case, `address` if the host is a literal one,
    `path` with the query as it is sent, `authority` as in the Host header."""

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def check_url(
    url: str, *, organization_id: UUID | None = None, lookup: Lookup | None = None
) -> Target:
    """Read a URL and look its host up; every address of it must be public.

    Takes as long as a name server, at most 2 s; what was found is remembered for 5 s. For requests:
    four are looked up at once, shared fairly between organizations. Raises one of the refusals
    above, whose codes are stable and whose sentences do not tell what was found. `lookup` answers
    instead of the system.
    """
    target = read_url(url)
    addresses = (
        (target.address,) if target.address else _addresses(target.host, organization_id, lookup)
    )
    if any(map(why_refused, addresses)):
        raise UrlAddressRefused
    return target


def read_url(url: str) -> Target:
    """Read a URL without looking its host up. Raises the refusals that need no name server."""
    target = _read(url)
    if target.scheme == "http" and not settings.OUTBOUND_ALLOW_HTTP:
        raise UrlNotHttps
    return target


def _addresses(host: str, organization_id: UUID | None, lookup: Lookup | None) -> Addresses:
    try:
        known = None if lookup else shared_resolver().cached(host)
    except UnknownHost:
        raise UrlNotFound from None
    return known or _lookup(host, organization_id, lookup)


def _lookup(host: str, organization_id: UUID | None, lookup: Lookup | None) -> Addresses:
    if not _lookups.take(organization_id):
        raise UrlLookUpsBusy(retry_after=LOOKUP_SECONDS)
    try:
        found = lookup(host) if lookup else shared_resolver().addresses_within(host, LOOKUP_SECONDS)
    except UnknownHost:
        raise UrlNotFound from None
    finally:
        _lookups.release(organization_id)
    if not found:
        raise UrlNotFound
    return found


@lru_cache(maxsize=1024)
def _read(url: str) -> Target:
    if len(url) > MAX_CHARACTERS:
        raise UrlTooLong
    # Controls, white space, surrogates, what is unassigned or invisible; and what some read as "/".
    if "\\" in url or any(unicodedata.category(character)[0] in "CZ" for character in url):
        raise UrlInvalid
    found = _URL.fullmatch(url)
    if found is None:
        raise UrlInvalid
    scheme, place = found["scheme"].lower(), found["place"]
    if scheme not in PORTS:
        raise UrlNotHttps
    if "@" in place:
        raise UrlWithCredentials
    host, port, address = _read_place(place, PORTS[scheme])
    path = quote((found["path"] or "/") + (found["query"] or ""), safe="%/?:@!$&'()*+,;=-._~[]")
    if len(path) > 3 * MAX_CHARACTERS:
        raise UrlTooLong
    return Target(scheme, host, port, path, address)


def _read_place(place: str, usual_port: int) -> tuple[str, int, Address | None]:
    """Host, port and, where the host is one, its address."""
    found = _PLACE.fullmatch(place)
    if found is None:
        raise UrlInvalid
    port = int(found["port"] or usual_port)
    if port != usual_port and not FIRST_FREE_PORT <= port <= 65535:
        raise UrlPortRefused
    if found["host"].startswith("["):
        address = _ipv6(found["host"][1:-1])
        return str(address), port, address
    host = _ascii(found["host"])
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        literal = _ipv4(host)
        return str(literal), port, literal
    return host, port, None


def _ipv6(text: str) -> IPv6Address:
    try:
        return IPv6Address(text)
    except ValueError:
        raise UrlInvalid from None


def _ipv4(text: str) -> IPv4Address:
    """Decimal, hexadecimal, octal and short forms too: what the system's resolver makes of them."""
    try:
        return ipaddress.IPv4Address(socket.inet_aton(text))
    except OSError:
        raise UrlInvalid from None


def _ascii(host: str) -> str:
    """The name as name servers know it. Raises UrlInvalid."""
    name = host.lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise UrlInvalid from None
    name = name.removesuffix(".")
    if len(name) > 253 or not all(map(_LABEL.fullmatch, name.split("."))):
        raise UrlInvalid
    return name
