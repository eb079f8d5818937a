"""How a value looks on a staff page: times, sizes, statuses, links and JSON made readable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

NOTHING = "-"
LONGEST_TEXT = 4_000  # characters of one value on a page

# Every status of the house by its tone; each tone has a sign, so that nobody needs the colour.
TONES = {
    "succeeded": "good",
    "confirmed": "good",
    "held": "good",
    "running": "busy",
    "waiting": "busy",
    "queued": "idle",
    "scheduled": "idle",
    "draft": "idle",
    "info": "idle",
    "edited": "good",
    "released": "idle",
    "partial": "warn",
    "warning": "warn",
    "lost": "warn",
    "cancelled": "off",
    "dismissed": "off",
    "failed": "bad",
    "dead": "bad",
    "critical": "bad",
}
SIGNS = {"good": "✓", "busy": "▶", "idle": "○", "warn": "!", "off": "□", "bad": "✕"}


def status(value: str, note: str = "") -> SafeString:
    """A status as a label with a sign; `note` follows it, as a progress does."""
    return label(TONES.get(value, "idle"), f"{value} {note}".strip())


def label(tone: str, words: str) -> SafeString:
    """Words with the sign and the colour of a tone, one of SIGNS."""
    return format_html(
        '<span class="status status-{}"><span aria-hidden="true">{}</span> {}</span>',
        tone,
        SIGNS[tone],
        words,
    )


def milliseconds(value: float | None) -> str:
    """A length of sound or text as people say it: 9.5 s, 2 min 50 s, 1 h 05 min."""
    return NOTHING if value is None else span(timedelta(milliseconds=value))


def span(length: timedelta) -> str:
    """A length of time in its two largest units."""
    seconds = max(length.total_seconds(), 0.0)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02} min"
    return f"{hours // 24} days {hours % 24} h"


def between(start: datetime | None, end: datetime | None, *, now: datetime) -> str:
    """How long something took; with no end yet, how long it has been going on."""
    if start is None:
        return NOTHING
    return span(end - start) if end else f"{span(now - start)} so far"


def size(value: int | None) -> str:
    """A number of bytes as people say it."""
    return NOTHING if value is None else filesizeformat(value)


def percent(value: float | None) -> str:
    """A share of one."""
    return NOTHING if value is None else f"{value:.0%}"


def cut(text: str, longest: int = LONGEST_TEXT) -> SafeString:
    """A text with its line breaks; what is longer than `longest` is cut, and says so."""
    if not text:
        return format_html("{}", NOTHING)
    note = ""
    if len(text) > longest:
        note = f"The first {longest:,} of {len(text):,} characters."
        text = text[:longest]
    return format_html(
        '<pre class="value" tabindex="0">{}</pre>{}',
        text,
        format_html('<p class="help">{}</p>', note) if note else "",
    )


def folded(text: str, longest: int = LONGEST_TEXT) -> SafeString:
    """A long text behind its last line, which in a traceback says what happened."""
    lines = text.strip().splitlines()
    if len(lines) < 2:
        return cut(text, longest)
    opened = cut(text, longest)
    return format_html("<details><summary>{}</summary>{}</details>", lines[-1][:200], opened)


def as_json(value: Any, longest: int = LONGEST_TEXT) -> SafeString:
    """A JSON value on lines of its own, cut like any text."""
    return cut(json.dumps(value, indent=2, ensure_ascii=False, default=str), longest)


def link(row: Model | None, text: object = None) -> SafeString | str:
    """A link to the row's staff page; its text without such a page, a dash without a row."""
    if row is None:
        return NOTHING
    words = text or row
    if type(row) not in admin.site._registry:
        return format_html("{}", words)
    return format_html('<a href="{}">{}</a>', page(row), words)


def page(row: Model) -> str:
    """The address of a row's staff page."""
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[quote(row.pk)])


def named_rows(arguments: Mapping[str, Any]) -> SafeString | str:
    """Links to what a job is about: `meeting_id` leads to the staff page of that meeting.

    Read from the names alone, so no query is made and no noun of an app is known here.
    """
    pages = {model._meta.model_name: model._meta for model in admin.site._registry}
    links = [
        (reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[quote(value)]), kind)
        for name, value in arguments.items()
        if isinstance(value, str)
        and (kind := name.removesuffix("_id")) != name
        and (meta := pages.get(kind.replace("_", "")))
    ]
    return format_html_join(", ", '<a href="{}">{}</a>', links) or NOTHING
