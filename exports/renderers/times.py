"""Times as people read them: the same in every language, and the same for every reader."""

from __future__ import annotations

from datetime import datetime

from exports.renderers.minutes import Minutes


def clock(ms: int) -> str:
    """Hours, minutes and seconds from the start: 1:02:03."""
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def day_and_hour(moment: datetime) -> str:
    """A day and a time of day in the order of ISO 8601, so that nobody takes a day for a month."""
    return f"{moment:%Y-%m-%d %H:%M}"


def held(minutes: Minutes) -> str:
    """When the meeting was, with its time zone; empty when nobody said."""
    if minutes.starts_at is None:
        return ""
    start, end = minutes.starts_at, minutes.ends_at
    text = day_and_hour(start)
    if end is not None:
        same_day = end.date() == start.date()
        text += f" - {end:%H:%M}" if same_day else f" - {day_and_hour(end)}"
    return f"{text} ({minutes.time_zone})"


def share(talk_ms: int, total_ms: int) -> str:
    """A part of all talking as a percentage."""
    return f"{talk_ms / total_ms:.0%}"
