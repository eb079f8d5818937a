"""Speech made readable: without fillers, false starts and what only holds the floor."""

from __future__ import annotations

import regex

from meetings.analysis.rules.language import Language

_NOISE = regex.compile(r"\[[^\[\]]{0,40}\]|\{[^{}]{0,40}\}|<[^<>]{0,40}>")
_EDGE = " ,.;:!?…-–—\"'“”‘’()"
LONGEST_REPEAT = 4  # words said twice in a row: "I think I think that", "the the"


def fluent(text: str, language: Language) -> str:
    """One sentence as its speaker would have written it; empty when nothing was said in it."""
    tokens = _NOISE.sub(" ", text).split()
    tokens = _without_fillers(tokens, language)
    tokens = _without_repeats(_without_stutters(tokens, language))
    tokens = _without_openers(tokens, language)
    return _sentence(" ".join(tokens))


def item(text: str, language: Language) -> str:
    """An item's text: fluent, without a label or a nod before it ("Decision:", "Agreed,")."""
    said = fluent(text, language)
    rest = said
    while language.labels and (label := language.labels.match(rest)):
        rest = fluent(rest[label.end() :], language)
    return rest or said


def bare(token: str) -> str:
    """A token as it is compared: lower case, without the marks around it."""
    return token.strip(_EDGE).lower().replace("’", "'")


def _without_fillers(tokens: list[str], language: Language) -> list[str]:
    kept: list[str] = []
    at = 0
    said = [bare(token) for token in tokens]
    while at < len(tokens):
        skip = _filler_at(said, at, language)
        if skip:
            _keep_mark(kept, tokens[at + skip - 1])
            at += skip
            continue
        kept.append(tokens[at])
        at += 1
    return kept


def _filler_at(said: list[str], at: int, language: Language) -> int:
    for filler in language.fillers:
        if said[at] == filler[0] and tuple(said[at : at + len(filler)]) == filler:
            return len(filler)
    return 0 if said[at] else 1


def _keep_mark(kept: list[str], dropped: str) -> None:
    """The mark behind a dropped word ends what came before it."""
    if kept and dropped[-1:] in ".?!" and kept[-1][-1:] not in ".?!":
        kept[-1] = kept[-1].rstrip(",;:-–—") + dropped[-1]


def _without_repeats(tokens: list[str]) -> list[str]:
    kept: list[str] = []
    said: list[str] = []
    for token in tokens:
        kept.append(token)
        said.append(bare(token))
        for size in range(LONGEST_REPEAT, 0, -1):
            if len(said) >= 2 * size and said[-size:] == said[-2 * size : -size]:
                # The second time is the one that was meant; numbers may be said twice for real.
                if not any(word.isdigit() for word in said[-size:]):
                    del kept[-2 * size : -size], said[-2 * size : -size]
                break
    return kept


def _without_stutters(tokens: list[str], language: Language) -> list[str]:
    """Drops what was broken off: "w" before "we", "th-" before "the", a lone "s"."""
    return [
        token
        for token, following in zip(tokens, [*tokens[1:], ""], strict=False)
        if not _is_broken_off(token, bare(following), language)
    ]


def _is_broken_off(token: str, after: str, language: Language) -> bool:
    said = bare(token)
    begun = said != after and after.startswith(said)
    if token.endswith(("-", "–", "—")):
        return begun
    if not token.isalpha() or not token.islower() or not language.stop_words:
        return False
    if len(said) == 1:
        return said not in language.letters or (begun and said != "a")
    return len(said) == 2 and begun and said not in language.stop_words


def _without_openers(tokens: list[str], language: Language) -> list[str]:
    at = 0
    while at < len(tokens) and bare(tokens[at]) in language.openers:
        at += 1
    return tokens[at:]


def _sentence(text: str) -> str:
    text = regex.sub(r"\s+([,.;:!?])", r"\1", text).strip(" ,;:-–—")
    if not any(character.isalnum() for character in text):
        return ""
    if text[-1].isalnum():
        text += "."
    return text[0].upper() + text[1:]
