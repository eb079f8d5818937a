"""The phrases that a piece of a discussion is about."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import regex

from meetings.analysis.rules.language import Language
from meetings.analysis.rules.tfidf import content_words
from meetings.analysis.words import spelled, stem, words

_BREAK = regex.compile(r"[^\w\s'’\-]++")
_TITLE = regex.compile(r"\([^()]*+\)")  # behind a name: "(Ottawa, Minister of Trade)"
LONGEST_PHRASE = 3
PAIR_WORTH = 2.2  # a pair of words that keeps coming back says more than each of the two
LITTLE = 400  # different phrases in a piece that is short
NOUN_LIKE = 0.15  # of its mentions a word stands as a noun does; "close" hardly ever
MOSTLY = 0.4  # of its mentions a phrase has an article, and so it has one in a sentence
Stems = tuple[str, ...]


class Phrases:
    """The phrases of all pieces (chapters, say) but for speakers' names, counted by piece."""

    def __init__(
        self, pieces: Sequence[Sequence[str]], language: Language, speakers: Iterable[str] = ()
    ) -> None:
        self._language = language
        self._names = frozenset(w for each in speakers for w in words(_TITLE.sub("", each)))
        self._forms: dict[Stems, Counter[str]] = defaultdict(Counter)
        self._articles: dict[Stems, Counter[str]] = defaultdict(Counter)
        self._noun_like: Counter[Stems] = Counter()
        self._whole: Counter[Stems] = Counter()
        flat = [text for piece in pieces for text in piece]
        telling = frozenset(w for each in content_words(flat, language) for w in each)
        self._telling = telling - language.not_topics
        self._counts = [Counter(self._in(piece)) for piece in pieces]
        self._spread = Counter(phrase for counts in self._counts for phrase in counts)

    def of(self, piece: int, most: int, *, with_articles: bool = False) -> list[str]:
        """Up to `most` phrases of one piece, those first that tell it from the other pieces.

        With its article a phrase reads well in a sentence: "the budget", where most said it so.
        """
        counts = self._counts[piece]
        ranked = sorted(counts, key=lambda phrase: (-self._worth(phrase, counts), phrase))
        chosen: list[Stems] = []
        for phrase in ranked:
            if len(chosen) == most or not self._worth(phrase, counts):
                break
            if not any(set(phrase) & set(other) for other in chosen):
                chosen.append(phrase)
        return [self._form(phrase, with_article=with_articles) for phrase in chosen]

    def _worth(self, phrase: Stems, counts: Counter[Stems]) -> float:
        count = counts[phrase]
        telling = math.log(1 + len(self._counts) / self._spread[phrase])
        if self._is_name(phrase):
            return 0.0
        if len(phrase) == 1:
            return count * telling if self._is_noun_like(phrase) else 0.0
        # Where little is said nothing comes twice; there "the marketing budget" is enough.
        known = count > 1 or (self._whole[phrase] and len(counts) < LITTLE)
        return count * telling * PAIR_WORTH if known else 0.0

    def _is_name(self, phrase: Stems) -> bool:
        """Whether a phrase, as it is written most often, is what somebody who spoke is called."""
        return all(
            word[0].isupper() and word.lower() in self._names
            for word in self._usual(phrase).split()
        )

    def _is_noun_like(self, phrase: Stems) -> bool:
        if not (self._language.determiners or self._language.capital_nouns):
            return True
        return self._noun_like[phrase] >= NOUN_LIKE * self._forms[phrase].total()

    def _usual(self, phrase: Stems) -> str:
        forms = self._forms[phrase]
        return max(sorted(forms, reverse=True), key=lambda form: forms[form])

    def _form(self, phrase: Stems, *, with_article: bool) -> str:
        form = self._usual(phrase)
        articles = self._articles[phrase]
        if with_article and articles.total() > self._forms[phrase].total() * MOSTLY:
            return f"{articles.most_common(1)[0][0]} {form}"
        return form

    def _in(self, texts: Sequence[str]) -> Iterable[Stems]:
        for text in texts:
            for clause in _BREAK.split(text):
                yield from self._in_clause(spelled(clause))

    def _in_clause(self, said: list[str]) -> Iterable[Stems]:
        start = 0
        for at, word in enumerate(said):
            if not self._names_a_thing(word):
                start = at + 1
                continue
            longest = min(at + 1 - start, LONGEST_PHRASE)
            before = said[start - 1].lower() if start else ""
            ends = at + 1 == len(said) or not self._names_a_thing(said[at + 1])
            for size in range(1, longest + 1):
                phrase = self._met(said[at + 1 - size : at + 1], before if size == longest else "")
                if (at and word[0].isupper()) or (ends and before in self._language.determiners):
                    self._noun_like[phrase] += 1
                if ends and size == at + 1 - start > 1 and self._is_whole(said, start, at + 1):
                    self._whole[phrase] += 1
                yield phrase

    def _names_a_thing(self, word: str) -> bool:
        if word.lower() not in self._telling:
            return False
        if not self._language.stop_words:
            return True
        return "'" not in word and (len(word) > 2 or word.isupper())

    def _is_whole(self, said: list[str], start: int, end: int) -> bool:
        """Whether words between a "the" and a place where verbs are told from nouns are a phrase.

        Behind the subject of a clause stands its verb: "the load swung" is none.
        """
        language = self._language
        if not start or said[start - 1].lower() not in language.determiners:
            return False
        after = said[end].lower() if end < len(said) else ""
        is_object = start > 1 and said[start - 2].lower() not in language.clause_openers
        return is_object or after in language.auxiliaries or after in language.not_topics

    def _met(self, said: list[str], before: str) -> Stems:
        phrase = tuple(stem(each.lower(), self._language.stemmer) for each in said)
        self._forms[phrase][" ".join(said)] += 1
        if before in self._language.articles:
            self._articles[phrase][before] += 1
        return phrase
