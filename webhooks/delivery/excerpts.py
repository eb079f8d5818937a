"""The beginning of an answer, as it may be kept and shown."""

from __future__ import annotations

import re

from core.monitoring.redaction import HIDDEN, hidden_text

LONGEST_BYTES = 4096
# Receivers like to repeat what they were sent: a signature of ours is nobody's to see.
# No word of a message is that long, and what is may be a secret in parts. Looked for from where a
# run begins and nowhere within: a receiver must not make a sender spend long on an answer.
LONG_RUN = re.compile(r"(?<![^\s\"'<>?(])[^\s\"'<>?(]{128,}")
LEFT_OUT = "[...]"
SIGNATURE = re.compile(r"\bv1a?,[A-Za-z0-9+/]{16,}={0,2}")


def readable(answer: bytes) -> str:
    """The first 4 KB as text with what looks like a secret hidden; undecodable bytes as marks."""
    if not answer:
        return ""
    text = (
        answer[:LONGEST_BYTES].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    )
    return hidden_text(LONG_RUN.sub(LEFT_OUT, SIGNATURE.sub(HIDDEN, text)))
