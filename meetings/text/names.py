"""Names of people, as texts and lists write them."""

from __future__ import annotations


def same_words(text: str) -> str:
    """The form in which two texts are compared: case and spacing do not tell them apart."""
    return " ".join(text.casefold().split())
