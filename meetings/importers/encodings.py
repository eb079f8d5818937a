"""Detects the character encoding of a text file."""

from __future__ import annotations

import codecs
import re

from meetings.importers.values import NotATranscript

UTF_8 = "UTF-8"

# UTF-32 first: its mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_CONTROLS = re.compile(r"[\0-\x08\x0b\x0e-\x1f\x7f]")
# No word of a language that Windows-1252 serves has so many accented letters in a row. Greek,
# Cyrillic, Arabic and Chinese read as Windows-1252 consist of them.
_OTHER_SCRIPT = re.compile("[\u00c0-\u00ff]{4}")


def decode(data: bytes, *, charset: str = "") -> tuple[str, str]:
    """Return the text and the name of its encoding; `charset` is what the sender announced.

    It is used only where the bytes are no Unicode. Raises NotATranscript for bytes that are no
    text in an encoding that can be recognised.
    """
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            return _decoded(data, codec), name
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded_legacy(data, charset)
    if "\0" in text:
        return _decoded(data, _utf_16_without_mark(data)), "UTF-16"
    return text, UTF_8


def _decoded(data: bytes, codec: str) -> str:
    try:
        text = data.decode(codec)
    except (UnicodeError, LookupError) as error:
        raise NotATranscript("The file is not text in an encoding that can be read.") from error
    if "\0" in text:
        raise NotATranscript("The file is not text.")
    return text


def _utf_16_without_mark(data: bytes) -> str:
    """Return the codec of UTF-16, from the side on which Latin letters have their zero."""
    return "utf-16-le" if data[1::2].count(0) > data[0::2].count(0) else "utf-16-be"


def _decoded_legacy(data: bytes, charset: str) -> tuple[str, str]:
    if data[1::2].count(0) + data[0::2].count(0) > len(data) / 4:
        return _decoded(data, _utf_16_without_mark(data)), "UTF-16"
    announced = _known_codec(charset)
    if announced:
        return _decoded(data, announced), charset
    text = _decoded(data, "windows-1252")
    if _CONTROLS.search(text):
        raise NotATranscript("The file is not text.")
    if _OTHER_SCRIPT.search(text):
        raise NotATranscript("The encoding of the file is not known. Save it as UTF-8.")
    return text, "Windows-1252"


def _known_codec(charset: str) -> str:
    """The codec of an announced encoding, empty for none and for Unicode that proved wrong."""
    try:
        info = codecs.lookup(charset)
    except (LookupError, ValueError):
        return ""
    is_text = info._is_text_encoding  # not hex, zip and the like
    return info.name if is_text and not info.name.startswith("utf") else ""
