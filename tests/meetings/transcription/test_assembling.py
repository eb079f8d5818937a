"""The texts of windows become one transcript."""

from __future__ import annotations

import random

from meetings.transcription.assemble import assemble
from meetings.transcription.window_text import SpokenSegment, WindowText, Word


def segment(start_ms: int, text: str, *, word_ms: int = 300, gap_ms: int = 0) -> SpokenSegment:
    words = []
    for word in text.split():
        words.append(Word(start_ms, start_ms + word_ms, f" {word}", 0.5))
        start_ms += word_ms + gap_ms
    return SpokenSegment.of(tuple(words))


def window(
    start_ms: int,
    *segments: SpokenSegment,
    language: str = "en",
    probability: float | None = None,
    speech_ms: int = 10_000,
    uncovered_ms: int = 0,
    repaired: int = 0,
) -> WindowText:
    return WindowText(
        start_ms,
        start_ms + 60_000,
        language,
        probability,
        segments,
        speech_ms,
        uncovered_ms,
        repaired,
    )


def test_windows_in_any_order_give_one_text_in_order() -> None:
    windows = [window(at * 60_000, segment(at * 60_000, f"part {at}.")) for at in range(12)]
    expected = assemble(windows)
    assert expected.text == " ".join(f"part {at}." for at in range(12))
    random.Random(5).shuffle(windows)
    assert assemble(windows) == expected


def test_figures_are_added_up() -> None:
    found = assemble(
        [
            window(0, segment(0, "one two"), uncovered_ms=1500, repaired=1),
            window(60_000, segment(60_000, "three"), uncovered_ms=2000),
        ]
    )
    assert (found.speech_ms, found.uncovered_speech_ms, found.repaired) == (20_000, 3500, 1)
    assert found.confidence == 0.5


def test_nobody_spoke() -> None:
    found = assemble([])
    assert (found.text, found.language, found.segments) == ("", "", ())
    assert (found.confidence, found.language_probability) == (None, None)


def test_the_language_is_that_of_most_of_the_speech() -> None:
    found = assemble(
        [
            window(0, segment(0, "hello"), language="en", probability=0.9, speech_ms=10_000),
            window(
                60_000, segment(60_000, "hallo"), language="de", probability=0.8, speech_ms=20_000
            ),
            window(
                120_000, segment(120_000, "ja"), language="de", probability=0.5, speech_ms=10_000
            ),
            window(180_000, language="fr", probability=0.9, speech_ms=90_000),
        ]
    )
    assert found.language == "de"
    assert found.language_probability == 0.7


def test_a_long_segment_is_divided_where_a_sentence_ends() -> None:
    sentences = [f"{'word ' * 25}end." for _ in range(4)]
    found = assemble([window(0, segment(0, " ".join(sentences)))])
    assert len(found.segments) > 1
    assert all(part.text.endswith("end.") for part in found.segments)
    assert " ".join(part.text for part in found.segments) == " ".join(sentences)
    for before, after in zip(found.segments, found.segments[1:], strict=False):
        assert before.end_ms <= after.start_ms


def test_a_long_segment_without_sentences_is_divided_all_the_same() -> None:
    text = " ".join(f"word{number}" for number in range(300))
    found = assemble([window(0, segment(0, text))])
    assert all(len(part.text) <= 400 for part in found.segments)
    assert all(part.end_ms - part.start_ms <= 30_000 for part in found.segments)
    assert found.text == text


def test_a_long_pause_divides_a_segment() -> None:
    words = (*segment(0, "before it").words, *segment(9000, "after it").words)
    found = assemble([window(0, SpokenSegment.of(words))])
    assert [part.text for part in found.segments] == ["before it", "after it"]


def test_one_very_long_word_stays_whole() -> None:
    assert assemble([window(0, segment(0, "a" * 900))]).text == "a" * 900


def test_a_language_without_spaces_is_joined_without_spaces() -> None:
    words = (Word(0, 300, "今日", 0.9), Word(300, 600, "は。", 0.7))
    made = SpokenSegment.of(words)
    assert made.text == "今日は。"
    assert made.confidence == 0.8
