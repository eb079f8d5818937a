"""Words with times, in the form that captions read: joined, they are the text of their segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from meetings.importers.values import ImportedWord

_LONGEST_GAP = 20  # spaces and punctuation between two words


def align(text: str, words: Sequence[ImportedWord]) -> tuple[ImportedWord, ...]:
    """The words with the spaces and the punctuation of the text; empty if they are not its words.

    Some services leave punctuation out of their words: it belongs to the word that it touches.
    """
    found: list[ImportedWord] = []
    position = 0
    for word in words:
        bare = word.text.strip()
        if not bare:
            continue
        at = text.find(bare, position, position + len(bare) + _LONGEST_GAP)
        gap = text[position:at]
        if at < 0 or any(character.isalnum() for character in gap):
            return ()
        if found:
            # What touches the word before is its punctuation; a space begins the next one.
            closing = next((n for n, char in enumerate(gap) if char.isspace()), len(gap))
            found[-1] = replace(found[-1], text=found[-1].text + gap[:closing])
            gap = gap[closing:]
        found.append(replace(word, text=gap + bare))
        position = at + len(bare)
    rest = text[position:].rstrip()
    if not found or any(character.isalnum() for character in rest):
        return ()
    return (*found[:-1], replace(found[-1], text=found[-1].text + rest))


def share(texts: Sequence[str], start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """The times of texts that follow each other, by their lengths."""
    total = sum(map(len, texts)) or 1
    times = []
    said = 0
    for text in texts:
        begin = start_ms + (end_ms - start_ms) * said // total
        said += len(text)
        times.append((begin, start_ms + (end_ms - start_ms) * said // total))
    return times
