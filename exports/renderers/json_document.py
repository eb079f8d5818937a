"""JSON: all there is to know, for programs. templates/exports/meeting.schema.json describes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from exports.renderers.document import status_of
from exports.renderers.minutes import Item, Minutes, Section, Task
from exports.renderers.options import Options
from exports.renderers.turns import kept
from meetings.text.segments import Segment

FORMAT, VERSION = "minutebook.meeting", 1


def render(minutes: Minutes, options: Options, target: Path) -> None:
    """Write the file: UTF-8, two spaces, the same bytes for the same minutes."""
    target.write_bytes(orjson.dumps(as_json(minutes, options), option=orjson.OPT_INDENT_2) + b"\n")


def as_json(minutes: Minutes, options: Options) -> dict[str, Any]:
    """The document as plain values; sections that were not asked for are left out."""
    parts = {section: _PARTS[section](minutes, options) for section in options.sections}
    return {
        "format": FORMAT,
        "version": VERSION,
        "meeting_id": minutes.meeting_id,
        "revision": minutes.revision,
        "title": minutes.title,
        **{str(section): value for section, value in parts.items() if value},
    }


def _details(minutes: Minutes, _options: Options) -> dict[str, Any]:
    known = {
        "starts_at": minutes.starts_at,
        "ends_at": minutes.ends_at,
        "time_zone": minutes.time_zone,
        "duration_ms": minutes.duration_ms,
        "platform": minutes.platform,
        "organizer": minutes.organizer,
        "language": minutes.language,
        "tags": list(minutes.tags),
    }
    return {name: value for name, value in known.items() if value}


def _item(item: Item) -> dict[str, Any]:
    found: dict[str, Any] = {
        "text": item.text,
        "status": status_of(item),
        "verified": item.is_verified,
    }
    if item.segment is not None:
        found |= {"segment": item.segment, "quote": item.quote}
    if isinstance(item, Task):
        found |= {"owner": item.owner, "due_on": item.due_on, "due_phrase": item.due_phrase}
    return found


def _participants(minutes: Minutes, _options: Options) -> list[dict[str, Any]]:
    return [
        {"name": who.name, "part": who.part, "talk_ms": who.talk_ms} for who in minutes.participants
    ]


def _stakeholders(minutes: Minutes, _options: Options) -> list[dict[str, Any]]:
    return [
        {"name": who.name, "role": who.role, "interest": who.interest}
        for who in minutes.stakeholders
    ]


def _topics(minutes: Minutes, _options: Options) -> list[dict[str, Any]]:
    return [
        {"title": topic.title, "segment": topic.segment, "start_ms": topic.start_ms}
        for topic in minutes.topics
    ]


def _transcript(minutes: Minutes, options: Options) -> list[dict[str, Any]]:
    return [_segment(segment, options) for segment in minutes.segments]


def _segment(segment: Segment, options: Options) -> dict[str, Any]:
    return {
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
        "speaker": segment.speaker if options.speakers else "",
        "text": segment.text,
    }


_PARTS = {
    Section.DETAILS: _details,
    Section.PARTICIPANTS: _participants,
    Section.STAKEHOLDERS: _stakeholders,
    Section.BRIEF: lambda minutes, _options: minutes.brief,
    Section.SUMMARY: lambda minutes, _options: minutes.summary,
    Section.DECISIONS: lambda m, options: [_item(item) for item in kept(m.decisions, options)],
    Section.ACTION_ITEMS: lambda m, options: [_item(i) for i in kept(m.action_items, options)],
    Section.TOPICS: _topics,
    Section.NOTES: lambda minutes, _options: list(minutes.notes),
    Section.TRANSCRIPT: _transcript,
}
