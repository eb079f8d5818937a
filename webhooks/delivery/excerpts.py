"""The beginning of an answer, safe to store and show."""

from __future__ import annotations

import re

from core.monitoring.scrubbing import HIDDEN, hidden_text

MAX_BYTES = 4096
# No word of a message is that long; a longer run may contain a secret in parts. The look-behind
# anchors the match at the start of a run, so that no answer is slow to search.
LONG_RUN = re.compile(r"(?<![^\s\"'<>?(])[^\s\"'<>?(]{128,}")
LEFT_OUT = "[...]"
# Receivers echo what they were sent, and signatures must not be shown.
SIGNATURE = re.compile(r"\bv1a?,[A-Za-z0-9+/]{16,}={0,2}")


def readable(answer: bytes) -> str:
    """The first 4 KB as text; likely secrets are hidden, undecodable bytes replaced."""
    if not answer:
        return ""
    text = answer[:MAX_BYTES].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return hidden_text(LONG_RUN.sub(LEFT_OUT, SIGNATURE.sub(HIDDEN, text)))
