"""How values look on staff pages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.events.models import Event
from core.jobs.models import AttemptOutcome, JobStatus
from core.security.models import Severity
from core.staff import formatting
from meetings.models import AnalysisStatus, ItemStatus, MeetingStatus
from tests import make


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 ms"),
        (0.25, "250 ms"),
        (9.54, "9.5 s"),
        (170, "2 min 50 s"),
        (3_900, "1 h 05 min"),
        (200_000, "2 days 7 h"),
        (-3, "0 ms"),
    ],
)
def test_a_length_of_time_is_said_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert formatting.span(timedelta(seconds=seconds)) == words


def test_every_status_has_a_tone_and_every_tone_a_sign() -> None:
    kinds = (JobStatus, AttemptOutcome, Severity, AnalysisStatus, ItemStatus, MeetingStatus)
    assert {value for kind in kinds for value in kind.values} == set(formatting.TONES)
    assert set(formatting.TONES.values()) <= set(formatting.SIGNS)
    assert len(set(formatting.SIGNS.values())) == len(formatting.SIGNS)


def test_a_status_is_read_without_its_colour() -> None:
    assert "dead" in formatting.status("dead")
    assert formatting.SIGNS["bad"] in formatting.status("dead")


def test_a_long_text_is_cut_and_says_so() -> None:
    shown = formatting.cut("x" * 5_000_000)
    assert len(shown) < 5_000
    assert "The first 4,000 of 5,000,000 characters." in shown


def test_a_short_text_is_shown_whole() -> None:
    assert "characters" not in formatting.cut("short")


@pytest.mark.parametrize("show", [formatting.cut, formatting.folded, formatting.as_json])
def test_markup_in_a_value_stays_text(show: object) -> None:
    assert "<script>" not in show("<script>alert(1)</script>\n<b>")  # type: ignore[operator]


@pytest.mark.django_db
def test_a_row_is_linked_by_the_name_of_its_id_and_nothing_else_is() -> None:
    organization = make.organization()
    shown = formatting.named_rows({"organization_id": str(organization.id), "what_id": "1", "n": 2})
    assert shown == f'<a href="/admin/core/organization/{organization.id}/change/">organization</a>'
    assert formatting.named_rows({"keys": ["a"]}) == formatting.NOTHING


@pytest.mark.django_db
def test_a_row_without_a_page_is_named_and_not_linked() -> None:
    row = make.membership().teams.through()
    assert "<a" not in formatting.link(row, "a row")
    assert "<a" in formatting.link(make.user(), Event)
    assert formatting.link(None) == formatting.NOTHING
