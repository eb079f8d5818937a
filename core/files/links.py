"""Signed links: one stored file of one row is fetched without signing in, for about an hour.

A link holds its end, the stored file, and an HMAC-SHA256 over both, the kind of the row and its
id. It opens that file of that row until then. Nothing is stored: a new `SECRET_KEY` ends all links.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Model
from django.utils.crypto import constant_time_compare, salted_hmac

from core import errors
from core.db.clock import database_now

_SALT = "core.files.links"


class LinkInvalid(errors.NotAllowed):
    """The link was altered, or its row no longer has that file."""

    code = "link.invalid"
    message = "This link is not valid. Ask for a new one."


class LinkExpired(errors.NotAllowed):
    """The link was valid and its time is over."""

    code = "link.expired"
    message = "This link has expired. Ask for a new one."


@dataclass(frozen=True, slots=True)
class Link:
    """The part of an address behind the row's id, and until when it opens the file."""

    token: str
    expires_at: datetime


def create_link(
    row: Model, *, stored_file_id: UUID, moment: datetime, latest: datetime | None = None
) -> Link:
    """A link made at `moment` to the stored file of a row; it ends at `latest` at the latest."""
    ends = moment + timedelta(seconds=settings.SIGNED_URL_TTL_SECONDS)
    seconds = int(min(ends, latest or ends).timestamp())
    token = _token(type(row), row.pk, stored_file_id, seconds)
    return Link(token, datetime.fromtimestamp(seconds, UTC))


def check_link(model: type[Model], *, row_id: UUID, token: str) -> UUID:
    """The id of the stored file that a link opens. Raises LinkInvalid or LinkExpired.

    The caller looks whether the row still has that file.
    """
    seconds, stored_file_id = _parts(token)
    if not constant_time_compare(token, _token(model, row_id, stored_file_id, seconds)):
        raise LinkInvalid
    if seconds <= database_now().timestamp():
        raise LinkExpired
    return stored_file_id


def _parts(token: str) -> tuple[int, UUID]:
    """The end and the file that a link names; not to be trusted before the whole is compared."""
    seconds, _, rest = token.partition("-")
    try:
        return int(seconds), UUID(rest.partition("-")[0])
    except ValueError:
        raise LinkInvalid from None


def _token(model: type[Model], row_id: UUID, stored_file_id: UUID, seconds: int) -> str:
    signed = f"{model._meta.label_lower}.{row_id}.{stored_file_id}.{seconds}"
    digest = salted_hmac(_SALT, signed, algorithm="sha256").hexdigest()
    return f"{seconds}-{stored_file_id.hex}-{digest}"
