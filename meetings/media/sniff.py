"""What a file is, told from its first bytes and never from its name.

libmagic decides. Where it is known to be unsure (an MP3 that starts in the middle of a frame, a
rare MP4 brand) the bytes are read once more here. `probe` opens the file for a second opinion.
"""

from __future__ import annotations

import contextlib
import functools

from core import errors

with contextlib.suppress(ImportError):
    # Brings libmagic as a wheel for machines that have none, and must come before `magic`.
    import pylibmagic  # noqa: F401

import magic

HEAD_BYTES = 8192

MPEG, WAV, MP4, OGG, WEBM, FLAC = (
    "audio/mpeg",
    "audio/wav",
    "audio/mp4",
    "audio/ogg",
    "audio/webm",
    "audio/flac",
)

_NAMES = {
    "audio/mpeg": MPEG,
    "audio/mp3": MPEG,
    "audio/wav": WAV,
    "audio/x-wav": WAV,
    "audio/vnd.wave": WAV,
    "audio/mp4": MP4,
    "audio/x-m4a": MP4,
    "video/mp4": MP4,
    "video/x-m4v": MP4,
    "audio/ogg": OGG,
    "video/ogg": OGG,
    "application/ogg": OGG,
    "audio/opus": OGG,
    "audio/webm": WEBM,
    "video/webm": WEBM,
    "audio/flac": FLAC,
    "audio/x-flac": FLAC,
}
_UNKNOWN = "application/octet-stream"
_MP4_BRANDS = (b"M4A ", b"M4B ", b"M4V ", b"mp41", b"mp42", b"isom", b"iso", b"dash", b"msdh")


class NotAudio(errors.Invalid):
    """The bytes are no recording of a kind that is accepted."""

    code = "recording.not_audio"
    sentence = "This is not a recording: send MP3, WAV, M4A, MP4, OGG, WebM or FLAC."


@functools.cache
def _libmagic() -> magic.Magic:
    return magic.Magic(mime=True)


def sniff(head: bytes) -> str:
    """The media type of a recording from its first `HEAD_BYTES`: one of the six names above.

    Raises NotAudio for everything else, also for audio of other kinds.
    """
    # Some versions of libmagic put two answers together without a separator.
    said = _libmagic().from_buffer(head).removesuffix(_UNKNOWN) or _UNKNOWN
    if said in _NAMES:
        return _NAMES[said]
    if said == _UNKNOWN and head[4:8] == b"ftyp" and head[8:].startswith(_MP4_BRANDS):
        return MP4
    if said == _UNKNOWN and _has_mpeg_frames(head):
        return MPEG
    raise NotAudio


# ISO/IEC 11172-3 and 13818-3: layer III bit rates in kbit/s, for MPEG-1 or not, by index.
_BIT_RATES = {
    True: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = (44_100, 48_000, 32_000)
_FRAMES_IN_A_ROW = 3


def _has_mpeg_frames(head: bytes) -> bool:
    """Whether three layer III frames follow each other somewhere in these bytes."""
    at = head.find(b"\xff")
    while at >= 0:
        if _frames_from(head, at) >= _FRAMES_IN_A_ROW:
            return True
        at = head.find(b"\xff", at + 1)
    return False


def _frames_from(head: bytes, at: int) -> int:
    count = 0
    while count < _FRAMES_IN_A_ROW and (length := _frame_length(head[at : at + 4])):
        count += 1
        at += length
    return count


def _frame_length(header: bytes) -> int:
    """Bytes of the layer III frame that starts with these four, or 0 when they are no header."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, rate, frequency = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or rate in (0, 15) or frequency == 3:
        return 0
    first = version == 3
    # MPEG-1 has the sample rates as listed, MPEG-2 a half and MPEG-2.5 a quarter of them.
    hertz = _SAMPLE_RATES[frequency] // {3: 1, 2: 2, 0: 4}[version]
    padding = header[2] >> 1 & 1
    return (144 if first else 72) * _BIT_RATES[first][rate - 1] * 1000 // hertz + padding
