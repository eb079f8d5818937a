"""Lines of text as services save them, and as people write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meetings.importers.transcripts import read_transcript
from meetings.importers.values import NotATranscript

FILES = Path(__file__).resolve().parents[2] / "data" / "transcripts"

MEET = """\
Weekly sync (2026-11-20 at 10:00 GMT) - Transcript
Attendees
Anna Berg, Ben Holm
Transcript
00:00:00

Anna Berg: Hello.
Ben Holm: We agreed to move the launch.

00:05:00

Anna Berg: Fine.
Transcription ended after 00:30:12
"""
OTTER = """\
Weekly sync
Wed, Nov 18, 2026 10:01AM

SPEAKERS
Anna Berg, Ben Holm

Anna Berg  00:03
Good morning.
This is the launch.

Ben Holm  00:15
Note: it is at 10:30.
"""
TEAMS = """\
Weekly sync-20261120_100000-Meeting Recording
November 20, 2026, 10:00AM

Anna Berg started transcription

Anna Berg   0:03
Hello.

Berg, Ben (External)   0:15
Hi.
"""
ZOOM = "[Anna Berg] 10:02:03\nGood morning.\n\n[Ben Holm] 10:02:09\nHi.\n"
CLOCK_FIRST = "00:00:03 Anna Berg\nGood morning.\n\n00:00:09 Ben Holm\nHi.\n"


def said(file: str | bytes) -> list[tuple[str, str, int | None]]:
    data = file if isinstance(file, bytes) else file.encode()
    return [(s.speaker, s.text, s.start_ms) for s in read_transcript(data).segments]


def codes(file: str) -> list[tuple[str, dict[str, Any]]]:
    return [(str(note.code), note.details) for note in read_transcript(file.encode()).notes]


def test_otter_has_speaker_and_time_above_the_words_and_a_footer() -> None:
    assert said((FILES / "09-otter.txt").read_bytes()) == [
        ("Anna Berg", "Good morning. We agreed to move the launch to May.", 3_000),
        ("Ben Holm", "I will tell the customers by Friday.", 15_000),
        ("Anna Berg", "Thank you all.", 3_727_000),
    ]


@pytest.mark.parametrize(
    ("file", "expected", "head"),
    [
        (
            MEET,
            [
                ("Anna Berg", "Hello.", 0),
                ("Ben Holm", "We agreed to move the launch.", None),
                ("Anna Berg", "Fine.", 300_000),
            ],
            [1, 2, 3, 4],
        ),
        (
            OTTER,
            [
                ("Anna Berg", "Good morning. This is the launch.", 3_000),
                ("Ben Holm", "Note: it is at 10:30.", 15_000),
            ],
            [1, 2, 4, 5],
        ),
        (
            TEAMS,
            [("Anna Berg", "Hello.", 3_000), ("Berg, Ben (External)", "Hi.", 15_000)],
            [1, 2, 4],
        ),
    ],
    ids=["Meet", "Otter", "Teams"],
)
def test_a_head_is_left_out_and_named(
    file: str, expected: list[tuple[str, str, int | None]], head: list[int]
) -> None:
    assert said(file) == expected
    assert codes(file) == [("head_left_out", {"lines": head})]


def test_times_of_day_count_from_the_first_words() -> None:
    assert said(ZOOM) == [("Anna Berg", "Good morning.", 0), ("Ben Holm", "Hi.", 6_000)]
    assert codes(ZOOM) == [("times_of_day", {})]
    around_midnight = ZOOM.replace("10:02:03", "23:59:59").replace("10:02:09", "00:00:05")
    assert [start for _, _, start in said(around_midnight)] == [0, 6_000]


def test_a_time_may_stand_before_the_name() -> None:
    assert said(CLOCK_FIRST) == [("Anna Berg", "Good morning.", 3_000), ("Ben Holm", "Hi.", 9_000)]


def test_one_word_after_a_time_is_speech() -> None:
    assert said("[0:00:03] Thanks.\n[0:00:05] We agreed to go.\n[0:00:09] Good.\n") == [
        ("", "Thanks.", 3_000),
        ("", "We agreed to go.", 5_000),
        ("", "Good.", 9_000),
    ]


def test_times_in_brackets_may_touch_the_words() -> None:
    assert said("[00:01.00]Hello there.\n[00:03.50]We agreed to go.\n") == [
        ("", "Hello there.", 1_000),
        ("", "We agreed to go.", 3_500),
    ]


def test_captions_of_an_unknown_format_are_refused() -> None:
    dialogue = "Dialogue: 0,0:00:01.00,0:00:04.00,Default,,0,0,0,,Hello there.\n"
    with pytest.raises(NotATranscript, match="Line 1 "):
        read_transcript(f"[Script Info]\nTitle: x\n\n[Events]\n{dialogue * 3}".encode())


def test_only_a_name_before_a_colon_is_a_speaker() -> None:
    question = "The question you raised last week: we already talk to the bank."
    assert said((FILES / "01-colon.txt").read_bytes()) == [
        ("Anna", "Good morning.", None),
        ("Anna", question, None),
        ("Ben", "Fine with me.", None),
    ]


@pytest.mark.parametrize(
    "label",
    ["Anna", "Dr. Anna van den Berg", "O'Brien, Pat (Guest)", "Speaker 1", "[SPEAKER_00]", "ÅSA"],
)
def test_names_of_many_kinds_are_speakers(label: str) -> None:
    assert said(f"{label}: Hello there.\n") == [(label.strip("[]"), "Hello there.", None)]


@pytest.mark.parametrize(
    "label",
    [
        "Decision",
        "Here is the thing",
        "Option A",
        "Yes, Anna",
        "Nächster Schritt",
        "at 10",
        "Monday",
    ],
)
def test_a_heading_or_phrase_is_no_speaker(label: str) -> None:
    file = f"Anna: Hello.\n{label}: we go on.\nAnna: Yes.\n{label}: we end.\n"
    assert {speaker for speaker, _, _ in said(file)} == {"Anna"}


def test_one_label_amid_prose_names_nobody() -> None:
    prose = "We met again.\nGeneva: five thousand seats.\nNothing else was said.\nIt was late.\n"
    assert {speaker for speaker, _, _ in said(prose)} == {""}


def test_names_of_a_script_without_capitals_are_known_by_being_labels() -> None:
    assert said("田中：我们同意了。\n李明：好的。\n田中：问题是：谁来做？\n") == [  # noqa: RUF001
        ("田中", "我们同意了。", None),
        ("李明", "好的。", None),
        ("田中", "问题是：谁来做？", None),  # noqa: RUF001
    ]


def test_lines_before_the_first_speaker_are_not_kept_as_speech() -> None:
    assert said("Weekly sync\nAnna: Hello.\nBen: Hi.\n") == [
        ("Anna", "Hello.", None),
        ("Ben", "Hi.", None),
    ]
    assert codes("Weekly sync\nAnna: Hello.\n") == [("cues_skipped", {"where": ["line 1"]})]
    with pytest.raises(NotATranscript, match="Line 1 stands before the first speaker"):
        read_transcript(b"Weekly sync\nof the team\nAnna: Hello.\nBen: Hi.\nAnna: Bye.\n")
