"""Reads the first bytes of a file: refuses what is no recording, and measures its tags.

Opening a file decides whether it is a recording; `container` does that. This module refuses files
that cannot be one, so that their upload ends early.
"""

from __future__ import annotations

import contextlib
import functools
from typing import BinaryIO

from core import errors

with contextlib.suppress(ImportError):
    # Brings libmagic as a wheel for machines that have none, and must come before `magic`.
    import pylibmagic  # noqa: F401

import magic

HEAD_BYTES = 8192

# Text comes first: playlists and scripts (HLS, DASH, ffconcat, SDP, subtitles) name other files
# and addresses. Pictures would be taken for the frames of a film.
_REFUSED_FAMILIES = ("text/", "image/", "font/", "message/", "model/")
_REFUSED = frozenset(
    f"application/{name}"
    for name in (
        "gzip",
        "java-archive",
        "javascript",
        "json",
        "msword",
        "pdf",
        "postscript",
        "vnd.android.package-archive",
        "vnd.microsoft.portable-executable",
        "vnd.rar",
        "vnd.sqlite3",
        "x-7z-compressed",
        "x-bzip2",
        "x-dosexec",
        "x-executable",
        "x-mach-binary",
        "x-object",
        "x-pie-executable",
        "x-rar",
        "x-sharedlib",
        "x-tar",
        "x-xz",
        "xml",
        "zip",
        "zstd",
    )
)
_REFUSED_PREFIXES = ("application/vnd.openxmlformats", "application/vnd.oasis.opendocument")
# libmagic takes an MP3 that starts in the middle of a frame for a TGA picture now and then.
_UNSURE = ("image/x-tga", "image/x-portable", "image/x-pcx")
_MEDIA_FAMILIES = ("audio/", "video/")
_MEDIA = ("application/ogg", "application/mxf", "application/vnd.rn-realmedia")

_TAG_HEADER_BYTES = 10
_TAG_FOOTER = 0x10
_MOST_TAGS = 16


class NotAudio(errors.Invalid):
    """The bytes are no recording."""

    code = "recording.not_audio"
    message = "This is not a recording: send audio, or a video with sound."


@functools.cache
def _libmagic() -> magic.Magic:
    return magic.Magic(mime=True)


def media_type_of(head: bytes) -> str:
    """Return libmagic's media type of these bytes; "application/octet-stream" if unknown."""
    unknown = "application/octet-stream"
    # Some versions of libmagic put two answers together without a separator.
    return _libmagic().from_buffer(head).removesuffix(unknown) or unknown


def check_head(head: bytes) -> None:
    """Raise NotAudio when a file that begins with these bytes cannot be a recording."""
    found = media_type_of(head)
    if found.startswith(_UNSURE):
        return
    if found in _REFUSED or found.startswith(_REFUSED_FAMILIES + _REFUSED_PREFIXES):
        raise NotAudio


def is_media(head: bytes) -> bool:
    """Whether this is the beginning of audio or video of some kind, supported or not."""
    return media_type_of(head).startswith(_MEDIA_FAMILIES + _MEDIA)


def tag_bytes(file: BinaryIO) -> int:
    """Return the length of the ID3v2 tags at the start of an open file.

    They may hold pictures of up to 256 MB and are skipped unread (id3.org, ID3v2.4, section 3).
    """
    length = 0
    for _ in range(_MOST_TAGS):
        file.seek(length)
        header = file.read(_TAG_HEADER_BYTES)
        if len(header) < _TAG_HEADER_BYTES or not _is_tag_header(header):
            break
        size = functools.reduce(lambda total, byte: total << 7 | byte, header[6:10], 0)
        footer = _TAG_HEADER_BYTES if header[5] & _TAG_FOOTER else 0
        length += _TAG_HEADER_BYTES + size + footer
    return length


def _is_tag_header(header: bytes) -> bool:
    version_is_legal = 0xFF not in header[3:5]
    size_is_legal = all(byte < 0x80 for byte in header[6:10])
    return header.startswith(b"ID3") and version_is_legal and size_is_legal
