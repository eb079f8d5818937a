"""Language tags (BCP 47), as people and other programs write them."""

from __future__ import annotations

import re

# Codes in use for a language that Whisper, like ISO 639-1, knows under another.
_SAME = {"nb": "no", "iw": "he", "in": "id", "fil": "tl", "cmn": "zh"}


def base_language(tag: str) -> str:
    """The language of a tag without region and script: `en` of `en-US`; empty for an empty tag."""
    code = re.split("[-_]", tag.strip(), maxsplit=1)[0].lower()
    return _SAME.get(code, code)
