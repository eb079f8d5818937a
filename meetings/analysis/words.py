"""What a text consists of: words in any script, and the stems they are compared by."""

from __future__ import annotations

from collections.abc import Iterable
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
LONGEST_WORD = 40  # characters that tell words apart; a stemmer need not read a million


def words(text: str) -> list[str]:
    """The words of `text` in lower case; pairs of characters where a script has no spaces."""
    return [word.lower() for word in spelled(text)]


def spelled(text: str) -> list[str]:
    """The same words as they are written."""
    found: list[str] = []
    for run in _RUN.finditer(text):
        if run.lastgroup == "unspaced":
            found.extend(_pairs(run.group()))
        else:
            found.append(run.group()[:LONGEST_WORD].replace("’", "'"))
    return found


def _pairs(run: str) -> Iterable[str]:
    if len(run) == 1:
        return (run,)
    return (run[at : at + 2] for at in range(len(run) - 1))


def folded(text: str) -> str:
    """Text as a pattern blind to case sees it: a long s is an "s", a dotted capital İ an "i"."""
    return text.replace("İ", "i").casefold()


def length(text: str) -> int:
    """How long a text reads, in words; two characters count as one where words have no spaces."""
    return sum(
        (len(run.group()) + 1) // 2 if run.lastgroup == "unspaced" else 1
        for run in _RUN.finditer(text)
    )


@lru_cache(maxsize=50_000)
def stem(word: str, stemmer: str) -> str:
    """The stem of a lower-case word by Snowball's `stemmer`; the word itself when there is none."""
    if not stemmer:
        return word
    return _stemmer(stemmer).stemWord(word.removesuffix("'s"))


@lru_cache(maxsize=8)
def _stemmer(name: str) -> snowballstemmer.SnowballStemmer:
    return snowballstemmer.stemmer(name)
