"""Captions can be read while they are heard, and never stand over each other."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from exports.renderers.captions import NoTimes, captions, cells, shown_rows
from exports.renderers.minutes import Minutes, Segment
from exports.renderers.options import Options
from tests.exports.reading import made
from tests.exports.sample import LANGUAGES, minutes


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("with_words", [True, False], ids=["words", "segments"])
def test_all_words_are_shown_in_short_rows_one_after_the_other(
    language: str, with_words: bool
) -> None:
    meeting = minutes(language, with_words=with_words)

    found = captions(meeting, Options())

    said = "".join(segment.text for segment in meeting.segments)
    assert squeezed("".join("".join(c.rows) for c in found)) == squeezed(said)
    for caption in found:
        assert len(shown_rows(caption)) <= 2
        assert all(cells(row) <= 42 for row in shown_rows(caption))
        assert 0 < caption.end_ms - caption.start_ms <= 7000
    for one, following in pairwise(found):
        assert one.end_ms <= following.start_ms


def test_rows_and_durations_follow_the_options() -> None:
    narrow = Options(
        maximum_characters_per_row=20, maximum_rows_per_caption=1, maximum_duration=2.0
    )

    found = captions(minutes(), narrow)

    assert all(len(shown_rows(caption)) == 1 for caption in found)
    assert all(cells(row) <= 20 for caption in found for row in shown_rows(caption))
    assert all(caption.end_ms - caption.start_ms <= 2000 for caption in found)


def test_a_short_word_stands_long_enough_to_be_read() -> None:
    said = (Segment("Yes.", "Anna", 0, 100), Segment("No.", "Ben", 5000, 5100))

    first, second = captions(replace(minutes(), segments=said), Options())

    assert first.end_ms - first.start_ms >= 833
    assert second.end_ms - second.start_ms >= 833


def test_people_who_speak_at_once_are_shown_in_turn() -> None:
    said = (
        Segment("One two three four five.", "Anna", 0, 9000),
        Segment("Six seven.", "Ben", 1000, 1500),
        Segment("Eight.", "Ben", 1000, 1500),
    )

    found = captions(replace(minutes(), segments=said), Options())

    assert all(a.end_ms <= b.start_ms for a, b in pairwise(found))


def test_a_speaker_is_a_voice_or_stands_before_the_words(tmp_path: Path) -> None:
    assert "<v Anna Berg>We" in made("vtt", minutes(), tmp_path).read_text("utf-8")
    assert "Anna Berg: We" in made("srt", minutes(), tmp_path).read_text("utf-8")
    silent = Options(speakers=False)
    assert "Anna" not in made("vtt", minutes(), tmp_path, silent).read_text("utf-8")
    assert "Anna" not in made("srt", minutes(), tmp_path, silent).read_text("utf-8")


def test_a_text_without_times_has_no_captions() -> None:
    untimed = tuple(Segment(segment.text) for segment in minutes().segments)
    for meeting in (replace(minutes(), segments=untimed), Minutes(meeting_id="x", title="y")):
        with pytest.raises(NoTimes):
            captions(meeting, Options())
