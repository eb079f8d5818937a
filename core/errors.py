"""The few meanings of "no". Services raise them; the HTTP kit turns a meaning into a status.

A package names its own refusals by subclassing a meaning beside the function that raises it::

    class UploadTooLarge(errors.TooLarge):
        code = "recording.too_large"
        sentence = "The recording is larger than this server accepts."
"""

from __future__ import annotations

from typing import ClassVar


class Refusal(Exception):
    """A request was understood and refused, for a reason a person can read.

    `code` is stable and machine-readable; `sentence` is for people and may be replaced per raise.
    `fields` maps field names to sentences; `retry_after` is seconds until another try makes sense.
    """

    code: ClassVar[str] = "refused"
    sentence: ClassVar[str] = "The request was refused."

    def __init__(
        self,
        sentence: str | None = None,
        *,
        fields: dict[str, list[str]] | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.detail = sentence or self.sentence
        self.fields = fields
        self.retry_after = retry_after
        super().__init__(self.detail)


class Invalid(Refusal):
    """What was sent cannot be accepted as it stands."""

    code = "invalid"
    sentence = "Some of what was sent is not valid."


class TooLarge(Invalid):
    """What was sent is larger than allowed."""

    code = "too_large"
    sentence = "What was sent is larger than allowed."


class NotSignedIn(Refusal):
    """Nobody is known to be asking."""

    asks_for: ClassVar[str] = "Bearer"  # the HTTP authentication scheme that would do

    code = "not_signed_in"
    sentence = "Sign in or send an API key."


class NotAllowed(Refusal):
    """The asker is known and may not do this."""

    code = "not_allowed"
    sentence = "You are not allowed to do this."


class NotFound(Refusal):
    """No such thing, or none that the asker may see."""

    code = "not_found"
    sentence = "There is no such thing here."


class Conflict(Refusal):
    """The present state does not permit this."""

    code = "conflict"
    sentence = "The current state does not permit this."


class QuotaExceeded(Refusal):
    """A plan's allowance is used up."""

    code = "quota_exceeded"
    sentence = "The allowance of your plan is used up."


class TooBusy(Refusal):
    """Try again later: a limit on work in flight, or a neighbour that is down."""

    code = "too_busy"
    sentence = "The server is busy. Try again shortly."
