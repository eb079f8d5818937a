"""Removes disfluencies from speech: fillers, repetitions, stutters and opening words."""

from __future__ import annotations

from itertools import dropwhile

import regex

from meetings.analysis.rules.language import Language

_NOISE = regex.compile(r"\[[^\[\]]{0,40}\]|\{[^{}]{0,40}\}|<[^<>]{0,40}>")
_MARKS = " ,.;:!?…-–—\"'“”‘’()"
MAX_REPEATED_WORDS = 4  # words said twice in a row: "I think I think that", "the the"


def remove_disfluencies(text: str, language: Language) -> str:
    """Return one sentence as its speaker would write it; empty when it holds no word."""
    tokens = _NOISE.sub(" ", text).split()
    tokens = _without_fillers(tokens, language)
    tokens = [
        token
        for token, following in zip(tokens, [*tokens[1:], ""], strict=False)
        if not _is_broken_off(token, normalized(following), language)
    ]
    tokens = _without_repeats(tokens)
    tokens = list(dropwhile(lambda token: normalized(token) in language.openers, tokens))
    # Removed words leave spaces before marks, and marks at both ends.
    text = regex.sub(r"\s+([,.;:!?])", r"\1", " ".join(tokens)).strip(" ,;:-–—")
    if not any(character.isalnum() for character in text):
        return ""
    if text[-1].isalnum():
        text += "."
    return text[0].upper() + text[1:]


def item_text(text: str, language: Language) -> str:
    """Return a sentence without disfluencies and without a label before it ("Decision:")."""
    sentence = remove_disfluencies(text, language)
    rest = sentence
    while language.labels and (label := language.labels.match(rest)):
        rest = remove_disfluencies(rest[label.end() :], language)
    return rest or sentence


def normalized(token: str) -> str:
    """Return a token as it is compared: lower case, without the marks around it."""
    return token.strip(_MARKS).lower().replace("’", "'")


def _without_fillers(tokens: list[str], language: Language) -> list[str]:
    kept: list[str] = []
    at = 0
    words = [normalized(token) for token in tokens]
    while at < len(tokens):
        fillers = (
            len(filler)
            for filler in language.fillers
            if words[at] == filler[0] and tuple(words[at : at + len(filler)]) == filler
        )
        # A token that consists of marks is dropped like a filler.
        dropped_count = next(fillers, 0 if words[at] else 1)
        if not dropped_count:
            kept.append(tokens[at])
            at += 1
            continue
        at += dropped_count
        # The mark behind a dropped word ends the sentence before it.
        mark = tokens[at - 1][-1]
        if kept and mark in ".?!" and kept[-1][-1:] not in ".?!":
            kept[-1] = kept[-1].rstrip(",;:-–—") + mark
    return kept


def _without_repeats(tokens: list[str]) -> list[str]:
    kept: list[str] = []
    words: list[str] = []
    for token in tokens:
        kept.append(token)
        words.append(normalized(token))
        for size in range(MAX_REPEATED_WORDS, 0, -1):
            if len(words) >= 2 * size and words[-size:] == words[-2 * size : -size]:
                # The second time is the one that was meant; numbers may be said twice for real.
                if not any(word.isdigit() for word in words[-size:]):
                    del kept[-2 * size : -size], words[-2 * size : -size]
                break
    return kept


def _is_broken_off(token: str, following: str, language: Language) -> bool:
    """Whether a token is a stutter: "w" before "we", "th-" before "the", a lone "s"."""
    word = normalized(token)
    is_begun = word != following and following.startswith(word)
    if token.endswith(("-", "–", "—")):
        return is_begun
    if not token.isalpha() or not token.islower() or not language.stop_words:
        return False
    if len(word) == 1:
        return word not in language.letters or (is_begun and word != "a")
    return len(word) == 2 and is_begun and word not in language.stop_words
