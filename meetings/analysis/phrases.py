"""The phrases that a piece of a discussion is about."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import regex

from meetings.analysis.contents import content_words
from meetings.analysis.language import Language
from meetings.analysis.words import spelled, stem

_BREAK = regex.compile(r"[^\w\s'’\-]++")
LONGEST_PHRASE = 3
PAIR_WORTH = 2.2  # a pair of words that keeps coming back says more than each of the two
MOSTLY = 0.4  # of its mentions a phrase has an article, and so it has one in a sentence
Stems = tuple[str, ...]


class Phrases:
    """The phrases of all pieces (chapters, say), counted piece by piece."""

    def __init__(self, pieces: Sequence[Sequence[str]], language: Language) -> None:
        self._language = language
        self._forms: dict[Stems, Counter[str]] = defaultdict(Counter)
        self._articles: dict[Stems, Counter[str]] = defaultdict(Counter)
        flat = [text for piece in pieces for text in piece]
        telling = frozenset(w for each in content_words(flat, language) for w in each)
        self._counts = [Counter(self._in(piece, telling)) for piece in pieces]
        self._spread = Counter(phrase for counts in self._counts for phrase in counts)

    def of(self, piece: int, most: int, *, with_articles: bool = False) -> list[str]:
        """Up to `most` phrases of one piece, those first that tell it from the other pieces.

        With its article a phrase reads well in a sentence: "the budget", where most said it so.
        """
        counts = self._counts[piece]
        ranked = sorted(counts, key=lambda phrase: (-self._worth(phrase, counts[phrase]), phrase))
        chosen: list[Stems] = []
        for phrase in ranked:
            if len(chosen) == most:
                break
            if not any(set(phrase) & set(other) for other in chosen):
                chosen.append(phrase)
        return [self._form(phrase, with_article=with_articles) for phrase in chosen]

    def _worth(self, phrase: Stems, count: int) -> float:
        if len(phrase) > 1 and count < 2:
            return 0.0
        telling = math.log(1 + len(self._counts) / self._spread[phrase])
        return count * telling * (PAIR_WORTH if len(phrase) > 1 else 1.0)

    def _form(self, phrase: Stems, *, with_article: bool) -> str:
        forms = self._forms[phrase]
        form = max(sorted(forms, reverse=True), key=lambda form: forms[form])
        articles = self._articles[phrase]
        if with_article and articles.total() > forms.total() * MOSTLY:
            return f"{articles.most_common(1)[0][0]} {form}"
        return form

    def _in(self, texts: Sequence[str], telling: frozenset[str]) -> Iterable[Stems]:
        for text in texts:
            for clause in _BREAK.split(text):
                yield from self._in_clause(spelled(clause), telling)

    def _in_clause(self, said: list[str], telling: frozenset[str]) -> Iterable[Stems]:
        before, run = "", list[str]()
        for word in said:
            if word.lower() not in telling:
                before, run = word.lower(), []
                continue
            run = [*run, word][-LONGEST_PHRASE:]
            for size in range(1, len(run) + 1):
                article = before if size == len(run) else ""
                yield self._met(run[-size:], article)

    def _met(self, said: list[str], before: str) -> Stems:
        phrase = tuple(stem(each.lower(), self._language.stemmer) for each in said)
        self._forms[phrase][" ".join(said)] += 1
        if before in self._language.articles:
            self._articles[phrase][before] += 1
        return phrase
