"""Links by which a finished file is fetched without signing in, for about an hour.

A link carries when it ends, the stored file, and an HMAC-SHA256 over both and the export's id, so
it opens one file of one export, until then. Nothing is kept: a new `SECRET_KEY` ends all links.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from core import errors
from core.db.clock import now
from core.files.models import StoredFile
from exports import queries
from exports.models import Export

_SALT = "exports.links"


class LinkInvalid(errors.NotAllowed):
    """The link was altered, or its file is no longer that of the export."""

    code = "export.link_invalid"
    sentence = "This link is not valid. Ask for the export again to get a new one."


class LinkExpired(errors.NotAllowed):
    """The link was right and its time is over."""

    code = "export.link_expired"
    sentence = "This link has expired. Ask for the export again to get a new one."


@dataclass(frozen=True, slots=True)
class Link:
    """What stands behind the export's id in an address, and until when it opens the file."""

    token: str
    expires_at: datetime


def link_to(export: Export, moment: datetime) -> Link | None:
    """A link to a finished export's file, as long as that is kept at most; None before."""
    if not export.is_ready or export.stored_file_id is None:
        return None
    ends = min(moment + timedelta(seconds=settings.SIGNED_URL_TTL_SECONDS), export.expires_at)
    seconds = int(ends.timestamp())
    token = _token(export.id, export.stored_file_id, seconds)
    return Link(token, datetime.fromtimestamp(seconds, UTC))


def open_link(*, export_id: UUID, token: str) -> tuple[Export, StoredFile]:
    """The export that a link leads to, and its file. Raises LinkInvalid or LinkExpired."""
    seconds, stored_file_id = _parts(token)
    if not constant_time_compare(token, _token(export_id, stored_file_id, seconds)):
        raise LinkInvalid
    if seconds <= now().timestamp():
        raise LinkExpired
    # The meeting may have been deleted since, and the export with it.
    rows = queries.whole(Export.objects.filter(meeting__isnull=False))
    export: Export | None = rows.filter(id=export_id, stored_file_id=stored_file_id).first()
    if export is None or export.stored_file is None:
        raise LinkInvalid
    return export, export.stored_file


def _parts(token: str) -> tuple[int, UUID]:
    """What a link says of itself; not to be believed before it is compared as a whole."""
    seconds, _, rest = token.partition("-")
    try:
        return int(seconds), UUID(rest.partition("-")[0])
    except ValueError:
        raise LinkInvalid from None


def _token(export_id: UUID, stored_file_id: UUID, seconds: int) -> str:
    signed = f"{export_id}.{stored_file_id}.{seconds}"
    digest = salted_hmac(_SALT, signed, algorithm="sha256").hexdigest()
    return f"{seconds}-{stored_file_id.hex}-{digest}"
