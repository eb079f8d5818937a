"""What each kind of error means, in a sentence for whoever looks at a delivery that failed.

The one table of kinds: the API, the staff pages and webhooks/README.md show what it says.
"""

from __future__ import annotations

from core.outbound.outcomes import Kind
from webhooks.delivery import retry_policy

SENTENCES: dict[str, str] = {
    # An answer came, and it was not 2xx.
    retry_policy.IS_STATUS: "The receiver answered {status}. Only 2xx counts as received.",
    retry_policy.IS_REDIRECT: "The receiver answered {status}, a redirect. Redirects are never"
    " followed: give the endpoint the address that it leads to.",
    retry_policy.IS_GONE: "The receiver answered 410: this address is gone for good.",
    # No whole answer came.
    Kind.NAME_UNKNOWN: "No server was found under the host name of the endpoint's address.",
    Kind.ADDRESS_REFUSED: "The host name of the endpoint's address leads to a place that is not"
    " public, so nothing was sent.",
    Kind.URL_REFUSED: "This installation does not send to such an address: it begins with"
    " http:// where only https:// is allowed, or has a port that belongs to another service.",
    Kind.REFUSED: "Nothing listens at the endpoint's address, or no way leads there.",
    Kind.TLS: "No secure connection came about: the receiver speaks no TLS at that port, or its"
    " certificate has expired, is for another host, or was signed by nobody we know.",
    Kind.TIMEOUT: "The receiver did not finish answering within {seconds} seconds.",
    Kind.CLOSED: "The receiver closed the connection before it had answered.",
    Kind.PROTOCOL: "What came back was not HTTP.",
    Kind.TOO_LARGE: "The headers of the receiver's answer were too large.",
    # Nothing the receiver did.
    retry_policy.IS_LOST: "Our sender vanished during this attempt. Nobody knows whether the event"
    " arrived, so it is sent again under the same id.",
    retry_policy.IS_UNSIGNED: "This installation cannot read the endpoint's secret, so nothing was"
    " sent. Rotate the secret, or put back the key that SECRET_KEYS lacks.",
    retry_policy.IS_OURS: "A mistake on our side kept this attempt from being made.",
    retry_policy.IS_GIVEN_UP: "The operator of this installation gave it up while it waited, for"
    " example after restoring a backup. It can be sent again.",
}
SUCCESS = "The receiver answered {status}."
UNKNOWN = "The attempt failed: {kind}."


def sentence_for(error_kind: str, status_code: int | None, *, deadline_seconds: float) -> str:
    """What happened in an attempt; an empty `error_kind` is a success."""
    words = SENTENCES.get(error_kind, UNKNOWN) if error_kind else SUCCESS
    return words.format(kind=error_kind, status=status_code, seconds=f"{deadline_seconds:g}")
