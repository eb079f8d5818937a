"""The phrases that a piece of a discussion is about."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import regex

from meetings.analysis.contents import content_words
from meetings.analysis.language import Language
from meetings.analysis.words import stem, words

_BREAK = regex.compile(r"[^\w\s'’\-]++")
LONGEST_PHRASE = 3
PAIR_WORTH = 2.2  # a pair of words that keeps coming back says more than each of the two
Stems = tuple[str, ...]


class Phrases:
    """The phrases of all pieces (chapters, say), counted piece by piece."""

    def __init__(self, pieces: Sequence[Sequence[str]], language: Language) -> None:
        self._language = language
        self._forms: dict[Stems, Counter[str]] = defaultdict(Counter)
        flat = [text for piece in pieces for text in piece]
        telling = frozenset(w for each in content_words(flat, language) for w in each)
        self._counts = [Counter(self._in(piece, telling)) for piece in pieces]
        self._spread = Counter(phrase for counts in self._counts for phrase in counts)

    def of(self, piece: int, most: int) -> list[str]:
        """Up to `most` phrases of one piece, those first that tell it from the other pieces."""
        counts = self._counts[piece]
        ranked = sorted(counts, key=lambda phrase: (-self._worth(phrase, counts[phrase]), phrase))
        chosen: list[Stems] = []
        for phrase in ranked:
            if len(chosen) == most:
                break
            if not any(set(phrase) & set(other) for other in chosen):
                chosen.append(phrase)
        return [self._form(phrase) for phrase in chosen]

    def _worth(self, phrase: Stems, count: int) -> float:
        if len(phrase) > 1 and count < 2:
            return 0.0
        telling = math.log(1 + len(self._counts) / self._spread[phrase])
        return count * telling * (PAIR_WORTH if len(phrase) > 1 else 1.0)

    def _form(self, phrase: Stems) -> str:
        forms = self._forms[phrase]
        return max(sorted(forms), key=lambda form: forms[form])

    def _in(self, texts: Sequence[str], telling: frozenset[str]) -> Iterable[Stems]:
        for text in texts:
            for clause in _BREAK.split(text):
                yield from self._in_clause(words(clause), telling)

    def _in_clause(self, said: list[str], telling: frozenset[str]) -> Iterable[Stems]:
        run: list[str] = []
        for word in said:
            run = [*run[1 - LONGEST_PHRASE :], word] if word in telling else []
            for size in range(1, len(run) + 1):
                phrase = tuple(stem(each, self._language.stemmer) for each in run[-size:])
                self._forms[phrase][" ".join(run[-size:])] += 1
                yield phrase
