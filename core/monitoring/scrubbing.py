"""Removes secrets, signed addresses and spoken words from what is logged."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

HIDDEN = "[hidden]"

# Hidden whatever the value is; names are compared in lower case, dashes as underscores.
SECRET_NAMES = {
    *("authorization", "cookie", "set_cookie", "sessionid", "csrfmiddlewaretoken"),
    *("password", "passwd", "secret", "secret_key", "secret_keys", "secret_hash"),
    *("private_key", "credentials"),
    *("token", "access_token", "refresh_token", "api_key", "apikey", "x_api_key", "signature"),
    *("dsn", "database_url", "redis_url", "cache_url"),
}
SPOKEN_NAMES = {
    *("text", "texts", "transcript", "segments", "words", "quote"),
    *("prompt", "body", "content", "message_text"),
}
HIDDEN_NAMES = SECRET_NAMES | SPOKEN_NAMES

PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Our own keys; the part that names the row stays, so that staff can find and revoke it.
    (re.compile(r"\bmb_([0-9A-Za-z]{8})_[0-9A-Za-z_-]{20,}"), r"mb_\1_" + HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[0-9a-z._~+/=-]{8,}"), r"\1 " + HIDDEN),
    (re.compile(r"\b(sk|rk|pk)[_-][0-9A-Za-z_-]{16,}"), r"\1_" + HIDDEN),
    # Base64, so with two more characters.
    (re.compile(r"\b(whsec|whsk)_[0-9A-Za-z+/_-]{8,}=*"), r"\1_" + HIDDEN),
    # user:password@host in any address.
    (re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"), HIDDEN),
    # A query string may hold a signature: links to files are nothing but that. Looked for where a
    # run begins and nowhere within, or hostile text would take time by its square.
    (
        re.compile(r"(?<![^\s?\"'<>(])([^\s?\"'<>(/]*/[^\s?\"'<>(]*)\?[^\s\"'<>]+"),
        r"\1?" + HIDDEN,
    ),
    (
        re.compile(r"(?i)\b(password|secret|token|signature|api_key)(\s*[=:]\s*)[^\s,;&'\"]+"),
        r"\1\2" + HIDDEN,
    ),
    # PostgreSQL repeats the offending row in these lines, and rows hold what people said.
    (
        re.compile(
            r"(?s)^(DETAIL|CONTEXT):.*?(?=\n(?:HINT|CONTEXT):|\n\n(?:The above|During)|\Z)", re.M
        ),
        r"\1: " + HIDDEN,
    ),
)
DEEPEST = 6


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: the event with everything hidden that nobody may read in a log."""
    for name in list(event):
        if not name.startswith("_"):  # structlog's own working fields
            event[name] = hidden(event[name], name=name)
    return event


def hidden(value: Any, *, name: str = "", depth: int = 0) -> Any:
    """The value with secrets replaced, looked for by name and by shape, in nested values too."""
    if name.lower().replace("-", "_") in HIDDEN_NAMES or depth >= DEEPEST:
        return HIDDEN
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {k: hidden(v, name=str(k), depth=depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [hidden(item, depth=depth + 1) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return HIDDEN
    return hidden_text(str(value))  # an object too: a request shows its address


def hidden_text(text: str) -> str:
    """The text with every known shape of a secret replaced."""
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text
