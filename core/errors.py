"""The few meanings of "no". Services raise them; the HTTP kit turns a meaning into a status.

A package names its own refusals by subclassing a meaning beside the function that raises it::

    class UploadTooLarge(errors.TooLarge):
        code = "recording.too_large"
        message = "The recording is larger than this server accepts."
"""

from __future__ import annotations

from typing import ClassVar


class DomainError(Exception):
    """A request was understood and refused, for a reason a person can read.

    `code` is stable and machine-readable; `message` is for people and may be replaced per raise.
    `fields` maps field names to sentences; `retry_after` is seconds until another try makes sense.
    """

    code: ClassVar[str] = "refused"
    message: ClassVar[str] = "The request was refused."

    def __init__(
        self,
        message: str | None = None,
        *,
        fields: dict[str, list[str]] | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.detail = message or self.message
        self.fields = fields
        self.retry_after = retry_after
        super().__init__(self.detail)


class Invalid(DomainError):
    """What was sent cannot be accepted as it stands."""

    code = "invalid"
    message = "Some of what was sent is not valid."


class TooLarge(Invalid):
    """What was sent is larger than allowed."""

    code = "too_large"
    message = "What was sent is larger than allowed."


class NotSignedIn(DomainError):
    """Nobody is known to be asking."""

    asks_for: ClassVar[str] = "Bearer"  # the HTTP authentication scheme that would do

    code = "not_signed_in"
    message = "Sign in or send an API key."


class NotAllowed(DomainError):
    """The asker is known and may not do this."""

    code = "not_allowed"
    message = "You are not allowed to do this."


class NotFound(DomainError):
    """No such thing, or none that the asker may see."""

    code = "not_found"
    message = "There is no such thing here."


class Conflict(DomainError):
    """The present state does not permit this."""

    code = "conflict"
    message = "The current state does not permit this."


class QuotaExceeded(DomainError):
    """A plan's allowance is used up."""

    code = "quota_exceeded"
    message = "The allowance of your plan is used up."


class TooBusy(DomainError):
    """Try again later: a limit on work in flight, or a neighbour that is down."""

    code = "too_busy"
    message = "The server is busy. Try again shortly."
