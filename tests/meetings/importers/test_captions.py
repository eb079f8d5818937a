"""Captions as services write them: who speaks, and each word once."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetings.importers.transcripts import read_transcript
from meetings.importers.values import ImportedTranscript, NotATranscript

FILES = Path(__file__).resolve().parents[2] / "data" / "transcripts"

Said = list[tuple[str, str]]


def said(found: ImportedTranscript) -> Said:
    return [(segment.speaker, segment.text) for segment in found.segments]


def read(name: str) -> ImportedTranscript:
    return read_transcript((FILES / name).read_bytes(), filename=name)


def test_words_before_a_colon_are_a_speaker_only_where_they_look_like_a_name() -> None:
    assert said(read("01-colon.vtt")) == [
        ("Anna", "Good morning."),
        ("", "We have two options: keep the old office or rent a new one."),
        ("", "Here is the thing: I will call the landlord by Friday."),
    ]


def test_subrip_may_write_its_times_with_dots() -> None:
    first, second = read("02-srt-dots.srt").segments
    assert (first.speaker, first.start_ms, first.end_ms) == ("Anna", 1_230, 5_790)
    assert (second.speaker, second.text) == ("Ben", "I will tell the customers by Friday.")


def test_captions_that_scroll_hold_each_word_once_with_its_time() -> None:
    found = read("06-rolling.vtt")
    assert [(s.start_ms, s.end_ms, s.text) for s in found.segments] == [
        (160, 3_429, "we agreed to move the launch"),
        (3_439, 5_749, "to the first of may"),
        (5_759, 8_000, "i will tell the customers"),
    ]
    words = [word for segment in found.segments for word in segment.words]
    assert [(word.start_ms, word.text) for word in words[:7]] == [
        (160, "we"),
        (400, " agreed"),
        (800, " to"),
        (1_000, " move"),
        (1_500, " the"),
        (2_000, " launch"),
        (3_439, "to"),
    ]
    assert found.language == "en"


def test_captions_that_grow_hold_each_word_once() -> None:
    texts = ("we", "we agreed", "we agreed to go", "yes", "yes, fine")
    cues = [f"00:0{n}.000 --> 00:0{n + 1}.000\n{text}\n" for n, text in enumerate(texts)]
    found = read_transcript("\n".join(["WEBVTT\n", *cues]).encode())
    assert [(s.start_ms, s.end_ms, s.text) for s in found.segments] == [
        (0, 3_000, "we agreed to go"),
        (3_000, 5_000, "yes, fine"),
    ]


def test_a_sentence_said_twice_is_kept_twice() -> None:
    cues = "00:01.000 --> 00:02.000\nNo.\n\n00:02.000 --> 00:03.000\nNo.\n"
    assert len(read_transcript(f"WEBVTT\n\n{cues}".encode()).segments) == 2


def test_a_turn_over_several_cues_of_teams_keeps_its_name_and_times() -> None:
    found = read("07-teams.vtt")
    assert [(s.speaker, s.start_ms) for s in found.segments] == [
        ("Anna Berg", 3_448),
        ("Anna Berg", 6_120),
        ("Ben Holm (Guest)", 8_100),
    ]
    assert found.segments[1].text == "the launch to the first of May."


def test_each_of_several_voices_in_a_cue_has_its_words() -> None:
    found = read("07-two-voices.vtt")
    assert said(found) == [
        ("Anna Berg", "Who tells the customers?"),
        ("Ben Holm", "I will tell them by Friday."),
        ("Anna Berg", "And the press?"),
        ("Ben Holm", "I will write the notice by Monday."),
        ("Anna Berg", "Thank you."),
    ]
    asked, answered = found.segments[:2]
    assert asked.start_ms == 1_000
    assert asked.end_ms == answered.start_ms
    assert answered.end_ms == 4_000


def test_zoom_writes_counters_and_names_before_a_colon() -> None:
    file = (
        "WEBVTT\n\n1\n00:00:01.000 --> 00:00:04.000\nAnna Berg: Good morning.\n\n"
        "2\n00:00:04.000 --> 00:00:06.000\nBen Holm: Two things: the date and the price.\n\n"
        "3\n00:00:06.000 --> 00:00:07.000\nSomebody on the telephone.\n"
    )
    assert said(read_transcript(file.encode())) == [
        ("Anna Berg", "Good morning."),
        ("Ben Holm", "Two things: the date and the price."),
        ("", "Somebody on the telephone."),
    ]


SBV = """\
0:00:01.000,0:00:04.000
Anna Berg: Hello all.

0:00:04.000,0:00:06.500
and welcome.

0:00:07.000,0:00:08.000
Ben Holm: Hi.
"""
# Without an empty line between two cues, with one of white space, with tags and a dash.
SUBRIP = """\
1
00:00:01,000 --> 00:00:04,000
Anna Berg: Hello <i>all</i>.
2
00:00:04,000 --> 00:00:06,500
{\\an8}and welcome.
 \n\
3
00:00:07,000 --> 00:00:08,000
- Ben Holm: Hi.
"""


@pytest.mark.parametrize("file", [SBV, SUBRIP], ids=["SBV", "SubRip"])
def test_a_name_stands_where_the_speaker_changes(file: str) -> None:
    found = read_transcript(file.encode())
    assert said(found) == [
        ("Anna Berg", "Hello all."),
        ("Anna Berg", "and welcome."),
        ("Ben Holm", "Hi."),
    ]
    assert [s.start_ms for s in found.segments] == [1_000, 4_000, 7_000]


def test_comments_styles_and_metadata_are_not_speech() -> None:
    file = (
        'WEBVTT - Weekly\nKind: captions\n\nNOTE duration:"00:01"\n\nNOTE language:de-de\n\n'
        "STYLE\n::cue { color: red }\n\nintro\n00:01.000 --> 00:02.000 line:90%\nA &lt; B\n\n"
        "NOTE\nnot said\n"
    )
    found = read_transcript(file.encode())
    assert said(found) == [("", "A < B")]
    assert found.language == "de"


def test_text_outside_of_cues_is_not_kept_as_speech() -> None:
    file = "WEBVTT\n\nstray\n\n00:01.000 --> 00:02.000\nHello.\n"
    found = read_transcript(file.encode())
    assert said(found) == [("", "Hello.")]
    assert [note.details for note in found.notes] == [{"where": ["line 3"]}]
    with pytest.raises(NotATranscript, match="Line 3 has no times"):
        read_transcript(file.replace("stray", "stray\n\nanother").encode())
