"""The message for each kind of error of an attempt.

The API, the staff pages and webhooks/README.md show this table.
"""

from __future__ import annotations

from core.outbound.outcomes import Kind
from webhooks.delivery import retry_policy as policy

MESSAGES: dict[str, str] = {
    # An answer, but not 2xx.
    policy.KIND_STATUS: "The receiver answered {status}. Only 2xx counts as received.",
    policy.KIND_REDIRECT: "The receiver answered {status}, a redirect. Redirects are never"
    " followed: enter the address that it leads to.",
    policy.KIND_GONE: "The receiver answered 410: this address is gone for good.",
    # No complete answer.
    Kind.NAME_UNKNOWN: "No server was found under the host name of the endpoint's address.",
    Kind.ADDRESS_REFUSED: "The host name of the endpoint's address leads to an address that is not"
    " public, so nothing was sent.",
    Kind.URL_REFUSED: "This installation does not send to such an address: it begins with"
    " http:// where only https:// is allowed, or has a port that belongs to another service.",
    Kind.REFUSED: "The connection was refused, or the endpoint's address cannot be reached.",
    Kind.TLS: "No secure connection was possible: the receiver does not speak TLS at that port, or"
    " its certificate has expired, is for another host, or comes from an unknown authority.",
    Kind.TIMEOUT: "The receiver did not finish answering within {seconds} seconds.",
    Kind.CLOSED: "The receiver closed the connection before it had answered.",
    Kind.PROTOCOL: "The answer was not HTTP.",
    Kind.TOO_LARGE: "The headers of the receiver's answer were too large.",
    # Not caused by the receiver.
    policy.KIND_SENDER_LOST: "The sending process ended during this attempt. The event may have"
    " arrived; it is sent again under the same id.",
    policy.KIND_UNSIGNED: "This installation cannot read the endpoint's secret, so nothing was"
    " sent. Rotate the secret, or restore the key that SECRET_KEYS lacks.",
    policy.KIND_SENDER_FAILED: "An internal error prevented this attempt.",
    policy.KIND_GIVEN_UP: "The operator of this installation gave the delivery up while it waited,"
    " for example after restoring a backup. It can be sent again.",
}
SUCCESS = "The receiver answered {status}."
UNKNOWN = "The attempt failed: {kind}."


def message_for(error_kind: str, status_code: int | None, *, deadline_seconds: float) -> str:
    """The message for an attempt; an empty `error_kind` is a success."""
    template = MESSAGES.get(error_kind, UNKNOWN) if error_kind else SUCCESS
    return template.format(kind=error_kind, status=status_code, seconds=f"{deadline_seconds:g}")
