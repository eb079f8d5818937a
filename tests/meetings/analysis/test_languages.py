"""The tables that a language needs."""

from __future__ import annotations

import pytest
import snowballstemmer

from meetings.analysis.languages import language_words
from meetings.analysis.rules.language import codes


@pytest.mark.parametrize("code", sorted(codes()))
def test_language_with_cues_has_stop_words_and_a_stemmer(code: str) -> None:
    words = language_words(code)

    assert words.stop_words
    assert words.stemmer in {"", *snowballstemmer.algorithms()}
