"""Splits text of any script into words, and words into stems."""

from __future__ import annotations

from functools import lru_cache

import regex
import snowballstemmer

# Scripts that put no space between words: two neighbouring characters stand in for a word.
UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}\u30FC\u3005"
)
# Possessive quantifiers: no text, however odd, makes the search go back.
_RUN = regex.compile(
    rf"(?P<unspaced>[{UNSPACED}]++)"
    rf"|(?:(?![{UNSPACED}])[\p{{L}}\p{{M}}\p{{N}}])++"
    rf"(?:['’\-](?:(?![{UNSPACED}])[\p{{L}}\p{{M}}\p{{N}}])++)*+"
)
MAX_WORD_LENGTH = 40  # characters that distinguish words; a stemmer need not read a million


def words(text: str) -> list[str]:
    """Return the words of `text` in lower case; pairs of characters for scripts without spaces."""
    return [word.lower() for word in written_words(text)]


def written_words(text: str) -> list[str]:
    """Return the same words in their own case."""
    found: list[str] = []
    for run in _RUN.finditer(text):
        characters = run.group()
        if run.lastgroup == "unspaced":
            found.extend(characters[at : at + 2] for at in range(max(1, len(characters) - 1)))
        else:
            found.append(characters[:MAX_WORD_LENGTH].replace("’", "'"))
    return found


def folded(text: str) -> str:
    """Return `text` as a case-insensitive pattern sees it: a long s is an "s", İ an "i"."""
    return text.replace("İ", "i").casefold()


def word_count(text: str) -> int:
    """Return the length of a text in words; two characters of an unspaced script count as one."""
    return sum(
        (len(run.group()) + 1) // 2 if run.lastgroup == "unspaced" else 1
        for run in _RUN.finditer(text)
    )


@lru_cache(maxsize=50_000)
def stem(word: str, stemmer: str) -> str:
    """Return the stem of a lower-case word by Snowball's `stemmer`; without one the word itself."""
    if not stemmer:
        return word
    return _stemmer(stemmer).stemWord(word.removesuffix("'s"))


@lru_cache(maxsize=8)
def _stemmer(name: str) -> snowballstemmer.SnowballStemmer:
    return snowballstemmer.stemmer(name)
