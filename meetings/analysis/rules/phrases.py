"""Ranks the phrases of a chapter against those of the other chapters."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

import regex

from meetings.analysis.rules.language import Language
from meetings.analysis.rules.tfidf import content_words
from meetings.analysis.words import stem, words, written_words

_BREAK = regex.compile(r"[^\w\s'’\-]++")
_TITLE = regex.compile(r"\([^()]*+\)")  # behind a name: "(Ottawa, Minister of Trade)"
MAX_PHRASE_WORDS = 3
PAIR_WEIGHT = 2.2  # a pair of words that keeps coming back says more than each of the two
FEW_PHRASES = 400  # different phrases in a short chapter
MIN_NOUN_SHARE = 0.15  # of its mentions a word stands as a noun does; "close" hardly ever
MIN_ARTICLE_SHARE = 0.4  # of its mentions with an article, for a phrase to be shown with it
Stems = tuple[str, ...]


class Phrases:
    """The phrases of all chapters, without speakers' names, counted by chapter."""

    def __init__(
        self, chapters: Sequence[Sequence[str]], language: Language, speakers: Iterable[str] = ()
    ) -> None:
        self._language = language
        self._names = frozenset(word for name in speakers for word in words(_TITLE.sub("", name)))
        self._forms: dict[Stems, Counter[str]] = defaultdict(Counter)
        self._articles: dict[Stems, Counter[str]] = defaultdict(Counter)
        self._noun_counts: Counter[Stems] = Counter()
        self._whole_counts: Counter[Stems] = Counter()
        texts = [text for chapter in chapters for text in chapter]
        content = frozenset(word for text in content_words(texts, language) for word in text)
        self._topic_words = content - language.not_topics
        self._counts = [
            Counter(
                phrase
                for text in chapter
                for clause in _BREAK.split(text)
                for phrase in self._phrases_of(written_words(clause))
            )
            for chapter in chapters
        ]
        self._chapter_counts = Counter(phrase for counts in self._counts for phrase in counts)

    def top(self, chapter: int, limit: int, *, with_articles: bool = False) -> list[str]:
        """Return up to `limit` phrases of one chapter, the most distinctive first.

        With its article a phrase reads well in a sentence: "the budget", where most said it so.
        """
        counts = self._counts[chapter]
        scores = {phrase: self._score(phrase, counts) for phrase in counts}
        chosen: list[Stems] = []
        for phrase in sorted(counts, key=lambda phrase: (-scores[phrase], phrase)):
            if len(chosen) == limit or not scores[phrase]:
                break
            if not any(set(phrase) & set(other) for other in chosen):
                chosen.append(phrase)
        texts = []
        for phrase in chosen:
            articles = self._articles[phrase]
            min_count = self._forms[phrase].total() * MIN_ARTICLE_SHARE
            has_article = with_articles and articles.total() > min_count
            article = f"{articles.most_common(1)[0][0]} " if has_article else ""
            texts.append(f"{article}{self._usual_form(phrase)}")
        return texts

    def _score(self, phrase: Stems, counts: Counter[Stems]) -> float:
        count = counts[phrase]
        distinctiveness = math.log(1 + len(self._counts) / self._chapter_counts[phrase])
        if self._is_name(phrase):
            return 0.0
        if len(phrase) == 1:
            return count * distinctiveness if self._is_noun(phrase) else 0.0
        # In a short chapter nothing comes twice; there "the marketing budget" is enough.
        is_phrase = count > 1 or (self._whole_counts[phrase] and len(counts) < FEW_PHRASES)
        return count * distinctiveness * PAIR_WEIGHT if is_phrase else 0.0

    def _is_name(self, phrase: Stems) -> bool:
        """Whether a phrase, as it is written most often, is the name of a speaker."""
        return all(
            word[0].isupper() and word.lower() in self._names
            for word in self._usual_form(phrase).split()
        )

    def _is_noun(self, phrase: Stems) -> bool:
        if not (self._language.determiners or self._language.capital_nouns):
            return True
        return self._noun_counts[phrase] >= MIN_NOUN_SHARE * self._forms[phrase].total()

    def _usual_form(self, phrase: Stems) -> str:
        forms = self._forms[phrase]
        return max(sorted(forms, reverse=True), key=lambda form: forms[form])

    def _phrases_of(self, clause: list[str]) -> Iterator[Stems]:
        """Yield each phrase of a clause, counting its form, its article and its use as a noun."""
        language = self._language
        start = 0
        for at, word in enumerate(clause):
            if not self._is_topic_word(word):
                start = at + 1
                continue
            longest = min(at + 1 - start, MAX_PHRASE_WORDS)
            before = clause[start - 1].lower() if start else ""
            is_last = at + 1 == len(clause) or not self._is_topic_word(clause[at + 1])
            for size in range(1, longest + 1):
                form = clause[at + 1 - size : at + 1]
                phrase = tuple(stem(word.lower(), language.stemmer) for word in form)
                self._forms[phrase][" ".join(form)] += 1
                if size == longest and before in language.articles:
                    self._articles[phrase][before] += 1
                if (at and word[0].isupper()) or (is_last and before in language.determiners):
                    self._noun_counts[phrase] += 1
                if is_last and size == at + 1 - start > 1 and self._is_whole(clause, start, at + 1):
                    self._whole_counts[phrase] += 1
                yield phrase

    def _is_topic_word(self, word: str) -> bool:
        if word.lower() not in self._topic_words:
            return False
        if not self._language.stop_words:
            return True
        return "'" not in word and (len(word) > 2 or word.isupper())

    def _is_whole(self, clause: list[str], start: int, end: int) -> bool:
        """Whether words between a "the" and a place where verbs are told from nouns are a phrase.

        Behind the subject of a clause stands its verb: "the load swung" is none.
        """
        language = self._language
        if not start or clause[start - 1].lower() not in language.determiners:
            return False
        after = clause[end].lower() if end < len(clause) else ""
        is_object = start > 1 and clause[start - 2].lower() not in language.clause_openers
        return is_object or after in language.auxiliaries or after in language.not_topics
