"""Which speech is still owed its words."""

from __future__ import annotations

from meetings.transcription.whisper import uncovered

SPEECH = ((1000, 5000), (7000, 12_000))


def test_speech_full_of_words_owes_nothing() -> None:
    words = [(at, at + 400) for at in range(1000, 12_000, 500)]
    assert uncovered(SPEECH, words) == []


def test_speech_without_words_is_owed_whole() -> None:
    assert uncovered(SPEECH, []) == list(SPEECH)


def test_a_hole_between_words_is_found() -> None:
    words = [(1000, 2000), (4000, 5000), *((at, at + 400) for at in range(7000, 12_000, 500))]
    assert uncovered(SPEECH, words) == [(2150, 3850)]


def test_a_short_hole_is_a_pause_for_breath() -> None:
    assert uncovered(((0, 3000),), [(0, 1000), (2300, 3000)]) == []


def test_one_word_cannot_cover_seconds_of_speech() -> None:
    assert uncovered(((0, 8000),), [(0, 8000)]) == [(1350, 8000)]


def test_words_outside_of_speech_cover_nothing() -> None:
    assert uncovered(((5000, 8000),), [(0, 1000), (9000, 9500)]) == [(5000, 8000)]
