"""Captions: short enough to read, and nothing in a text can break out of its cue."""

from __future__ import annotations

import io

import pytest
import webvtt

from meetings.text import captions
from meetings.text.captions import Cue, TimedWord


def words(text: str, *, each_ms: int = 300, start_ms: int = 0) -> list[TimedWord]:
    """These words, one after the other without a pause."""
    return [
        (start_ms + number * each_ms, start_ms + (number + 1) * each_ms, f" {word}")
        for number, word in enumerate(text.split())
    ]


def test_words_become_cues_of_two_lines_and_six_seconds_at_most() -> None:
    spoken = words("incomprehensibilities of the kind that nobody reads aloud " * 20)
    cues = list(captions.cues_of(spoken))
    assert " ".join(cue.text for cue in cues).split() == [word[2].strip() for word in spoken]
    assert all(cue.end_ms - cue.start_ms <= 6000 for cue in cues)
    for block in captions.srt(cues).split("\n\n"):
        _number, _times, *lines = block.strip().splitlines()
        assert len(lines) <= 2
        assert all(len(line) <= 42 for line in lines)


def test_a_pause_begins_a_cue() -> None:
    first, second = captions.cues_of(words("before it") + words("after it", start_ms=5000))
    assert (first.text, first.end_ms) == ("before it", 600)
    assert (second.text, second.start_ms) == ("after it", 5000)


def test_the_end_of_a_sentence_in_a_well_filled_cue_begins_another() -> None:
    text = "This is a sentence that fills most of a caption with its own words. And more."
    assert [cue.text for cue in captions.cues_of(words(text, each_ms=100))] == [
        "This is a sentence that fills most of a caption with its own words.",
        "And more.",
    ]


def test_nothing_said_makes_no_cue() -> None:
    assert list(captions.cues_of([])) == []
    assert captions.srt([]) == ""
    assert captions.webvtt([]) == "WEBVTT\n"


def test_a_cue_has_a_length_even_if_its_word_has_none() -> None:
    (cue,) = captions.cues_of([(700, 700, " now")])
    assert (cue.start_ms, cue.end_ms) == (700, 701)


def test_subrip_names_the_speaker_and_counts_from_one() -> None:
    cues = [Cue(0, 1500, "Good morning.", "Ann"), Cue(3_723_004, 3_724_000, "Bye.")]
    assert captions.srt(cues) == (
        "1\n00:00:00,000 --> 00:00:01,500\nAnn: Good morning.\n"
        "\n"
        "2\n01:02:03,004 --> 01:02:04,000\nBye.\n"
    )


def test_webvtt_makes_the_speaker_a_voice() -> None:
    assert captions.webvtt([Cue(0, 1500, "Good morning.", "Ann")]) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n<v Ann>Good morning.\n"
    )


@pytest.mark.parametrize(
    "text", ["a --> b", "<v Eve>hello", "one\n\ntwo", "R&D", "00:00:00.000 --> 00:00:01.000"]
)
def test_no_text_breaks_out_of_its_cue(text: str) -> None:
    cues = [Cue(0, 1000, text, "A>nn"), Cue(1000, 2000, "next")]
    read_vtt = webvtt.from_string(captions.webvtt(cues)).captions
    read_srt = webvtt.from_buffer(io.StringIO(captions.srt(cues)), format="srt").captions
    assert len(read_vtt) == len(read_srt) == 2
    assert read_vtt[1].text == read_srt[1].text == "next"
