"""Placing a meeting's recordings and imported texts on one clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Max

from core import errors
from meetings.models import Meeting, Recording, Transcript

Part = Recording | Transcript

LONGEST_MS = 2**31 - 1  # of a meeting: 24 days, as much as the times of segments hold


class StartsTooFarApart(errors.Invalid):
    """Start times that cannot be of one meeting: one of them is a mistake."""

    code = "recording.starts_too_far_apart"
    message = "The recordings of one meeting start within 24 days. Check the start times."


def next_position(meeting: Meeting) -> int:
    """The position of a recording or imported text that is added now, under the meeting's lock."""
    last = max(
        rows.aggregate(last=Max("position", default=-1))["last"]
        for rows in (meeting.recordings, meeting.transcripts.filter(recording=None))
    )
    return int(last) + 1


def update_offsets(meeting: Meeting) -> None:
    """Give every part of the meeting its offset, under the meeting's lock.

    To be called when a part was added, replaced or removed, or a start time has changed. Raises
    StartsTooFarApart.
    """
    parts: list[Part] = [
        *meeting.recordings.filter(replaced_by=None),
        *meeting.transcripts.filter(recording=None, replaced_by=None),
    ]
    parts.sort(key=lambda part: (part.position, part.id))
    for part, offset_ms in zip(parts, offsets_of(parts, meeting.starts_at), strict=True):
        if part.offset_ms != offset_ms:
            part.offset_ms = offset_ms
            part.save(update_fields=["offset_ms", "updated_at"])


def offsets_of(parts: list[Part], meeting_starts_at: datetime | None) -> list[int]:
    """Where each part begins (ms), counted from the first one to begin.

    A part without a start time begins where those before it have ended. The first recording, if its
    own start is not known, starts with the meeting. Raises StartsTooFarApart.
    """
    zero: datetime | None = None  # the time at which the clock reads 0
    if parts and _start_of(parts[0]) is None:
        zero = meeting_starts_at
    offsets: list[int] = []
    end_ms = 0
    for part in parts:
        started_at, offset_ms = _start_of(part), end_ms
        if started_at is not None:
            zero = zero or started_at - timedelta(milliseconds=end_ms)
            offset_ms = (started_at - zero) // timedelta(milliseconds=1)
        offsets.append(offset_ms)
        end_ms = max(end_ms, offset_ms + part.duration_ms)
    first = min(offsets, default=0)
    if offsets and max(offsets) - first > LONGEST_MS:
        raise StartsTooFarApart
    return [offset_ms - first for offset_ms in offsets]


def _start_of(part: Part) -> datetime | None:
    return part.started_at if isinstance(part, Recording) else None
