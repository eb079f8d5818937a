"""Opens a recording with FFmpeg's libraries so that a hostile file can only be refused.

FFmpeg recognises a file by its bytes, may use only the demuxers and decoders named here, reads
through our file object and may open no file itself: playlists and scripts name other files, and
the demuxers of rare formats are hardly tested.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard, Disposition

from core import errors
from meetings.media import sniff
from meetings.media.sniff import NotAudio

AnyPath = str | os.PathLike[str]

FLAC, MP3, WAV, MATROSKA = "flac", "mp3", "wav", "matroska,webm"
_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
# The media type of each container, of sound alone and with moving pictures.
_MEDIA_TYPES = {
    MP3: ("audio/mpeg", "audio/mpeg"),
    WAV: ("audio/wav", "audio/wav"),
    "w64": ("audio/x-w64", "audio/x-w64"),
    FLAC: ("audio/flac", "audio/flac"),
    "ogg": ("audio/ogg", "video/ogg"),
    _MP4: ("audio/mp4", "video/mp4"),
    MATROSKA: ("audio/x-matroska", "video/x-matroska"),
    "aac": ("audio/aac", "audio/aac"),
    "loas": ("audio/aac", "audio/aac"),
    "amr": ("audio/amr", "audio/amr"),
    "ac3": ("audio/ac3", "audio/ac3"),
    "eac3": ("audio/eac3", "audio/eac3"),
    "dts": ("audio/vnd.dts", "audio/vnd.dts"),
    "aiff": ("audio/aiff", "audio/aiff"),
    "au": ("audio/basic", "audio/basic"),
    "caf": ("audio/x-caf", "audio/x-caf"),
    "wv": ("audio/x-wavpack", "audio/x-wavpack"),
    "ape": ("audio/x-ape", "audio/x-ape"),
    "tta": ("audio/x-tta", "audio/x-tta"),
    "dss": ("audio/x-dss", "audio/x-dss"),
    "asf": ("audio/x-ms-wma", "video/x-ms-wmv"),
    "avi": ("video/x-msvideo", "video/x-msvideo"),
    "flv": ("video/x-flv", "video/x-flv"),
    "mpegts": ("video/mp2t", "video/mp2t"),
    "mpeg": ("video/mpeg", "video/mpeg"),
}
# ISO/IEC 14496-12, section 4.3: what an MP4 says it is; every other brand is a kind of MP4.
_BRANDS = {
    b"qt  ": ("audio/quicktime", "video/quicktime"),
    b"3gp": ("audio/3gpp", "video/3gpp"),
    b"3g2": ("audio/3gpp2", "video/3gpp2"),
}
_WEBM = ("audio/webm", "video/webm")
_CODECS = (
    "mp3,mp3float,mp2,mp2float,mp1,mp1float,aac,aac_fixed,aac_latm,alac,opus,libopus,vorbis,"
    "libvorbis,flac,speex,libspeex,wavpack,ape,tta,ac3,eac3,dca,amrnb,amrwb,libopencore_amrnb,"
    "libopencore_amrwb,wmav1,wmav2,wmapro,wmavoice,wmalossless,nellymoser,dss_sp,truespeech,"
    "qcelp,evrc,ilbc,g722,g723_1,g726,g726le,g729,gsm,gsm_ms,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,"
    "adpcm_yamaha,adpcm_swf,pcm_alaw,pcm_mulaw,pcm_s8,pcm_u8,pcm_s16le,pcm_s16be,pcm_u16le,"
    "pcm_u16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,"
    "pcm_dvd,pcm_bluray,s302m"
)
_OPTIONS = {
    "protocol_whitelist": "none",
    "format_whitelist": ",".join(_MEDIA_TYPES),
    "codec_whitelist": _CODECS,
    "max_probe_packets": "200",
}
# Enough to learn what the streams of most files are; the default of 5 MB costs 40 ms on a WAV.
_FIRST_LOOK = {"probesize": "262144"}
# A film may begin with a picture larger than that.
_SECOND_LOOK = {"probesize": "10000000"}
# Indexes of long films are some MB; a header of more than this serves to exhaust the machine.
_MOST_HEADER_BYTES = 128 * 1024**2
_LARGEST_READ_BYTES = 1024**2
_SAMPLE_RATES = range(4_000, 768_001)
_MOST_CHANNELS = 64

# What PyAV raises over a damaged file. Its own errors double as built-in ones (EOFError,
# MemoryError, PermissionError and so on), all of which mean "this file cannot be read".
DAMAGE = (av.FFmpegError, ValueError, ArithmeticError, LookupError, RuntimeError)


class Unreadable(errors.Invalid):
    """The file says it is a recording and cannot be played."""

    code = "recording.unreadable"
    message = "This recording is damaged: no sound could be read from it."


class NotSupported(errors.Invalid):
    """The file is a recording of a kind that cannot be read here."""

    code = "recording.not_supported"
    message = "This kind of recording is not supported: convert it to MP3, M4A, Ogg or WAV."


class NoAudio(errors.Invalid):
    """The file is sound in form and holds no sound."""

    code = "recording.no_audio"
    message = "This file holds no audio track."


@dataclass(frozen=True, slots=True)
class OpenAudio:
    """An open recording and one of its audio tracks."""

    media_type: str
    container: InputContainer
    stream: AudioStream

    @property
    def format(self) -> str:
        """The name of FFmpeg's demuxer."""
        name: str = self.container.format.name
        return name

    @property
    def tracks(self) -> list[AudioStream]:
        """All audio tracks, those that cannot be decoded included."""
        return list(self.container.streams.audio)


class _BoundedFile:
    """A file from some byte on, of which only so much may be read until `is_open` is set."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self._start = start
        self._left = _MOST_HEADER_BYTES
        self.is_open = False
        self.seek(0)

    def read(self, size: int) -> bytes:
        if self._left <= 0 and not self.is_open:
            return b""
        # FFmpeg asks for a whole cover or table at once, and takes less.
        block = self._file.read(min(size, _LARGEST_READ_BYTES))
        self._left -= len(block)
        return block

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = self._start if whence == os.SEEK_SET else 0
        try:
            return self._file.seek(base + offset, whence) - self._start
        except (OSError, OverflowError):
            return -1  # a damaged index leads before the start, or beyond any file

    def tell(self) -> int:
        return self._file.tell() - self._start


@contextlib.contextmanager
def open_audio(path: AnyPath, *, track: int | None = None) -> Iterator[OpenAudio]:
    """Open the recording at `path` for demuxing; closes it afterwards.

    `track` is the index of an audio track; without it the first that can be decoded is taken.
    Raises NotAudio, NotSupported, Unreadable, NoAudio. What a missing file raises is the operating
    system's.
    """
    with Path(path).open("rb") as file:
        head = file.read(sniff.HEAD_BYTES)
        sniff.check_head(head)
        start = sniff.tag_bytes(file)
        file.seek(start)
        head = file.read(sniff.HEAD_BYTES) or head
        with _open_container(file, start, head) as container:
            stream = _audio_track(container, track)
            for other in container.streams:
                # Pictures are most of a film, and need not even be read.
                other.discard = Discard.default if other is stream else Discard.all
            if container.format.name == FLAC:
                # Else a frame that fails its checksum is played all the same, as noise.
                stream.codec_context.options = {"err_detect": "crccheck+explode"}
            yield OpenAudio(_media_type(container, head), container, stream)


def _open_container(file: BinaryIO, start: int, head: bytes) -> InputContainer:
    """Open the container; reads more of it when its audio is not found at once."""
    for look in (_FIRST_LOOK, _SECOND_LOOK):
        source = _BoundedFile(file, start)
        try:
            container = av.open(
                source, mode="r", options=_OPTIONS | look, metadata_errors="replace"
            )
        except DAMAGE as error:
            if not sniff.is_media(head):
                raise NotAudio from error
            # FFmpeg's error for a format that is not on our list.
            is_unlisted = isinstance(error, av.error.ArgumentError)
            raise (NotSupported if is_unlisted else Unreadable) from error
        if look is _SECOND_LOOK or any(map(is_decodable, container.streams.audio)):
            break
        container.close()
    source.is_open = True
    return container


def _audio_track(container: InputContainer, track: int | None) -> AudioStream:
    tracks = container.streams.audio
    if not tracks:
        raise NoAudio
    decodable = filter(is_decodable, tracks if track is None else tracks[track : track + 1])
    found = next(decodable, None)
    if found is None:
        codec = getattr(tracks[track or 0].codec_context, "name", "")
        raise NotSupported(
            f"The sound in this recording is stored in a way that is not supported ({codec})."
            if codec
            else "The sound in this recording is stored in a way that is not supported."
        )
    return found


def is_decodable(track: AudioStream) -> bool:
    """Whether the track's sound can be decoded."""
    # Without a decoder there is no context, whatever the type says.
    return getattr(track.codec_context, "name", None) in _CODECS.split(",")


def _media_type(container: InputContainer, head: bytes) -> str:
    name: str = container.format.name
    kinds = _MEDIA_TYPES[name]
    if name == _MP4:
        kinds = next((_BRANDS[brand] for brand in _BRANDS if head[8:].startswith(brand)), kinds)
    # RFC 9559, section 5: the DocType of the header.
    if name == MATROSKA and b"\x42\x82\x84webm" in head[:100]:
        kinds = _WEBM
    covers = Disposition.attached_pic
    has_pictures = any(not video.disposition & covers for video in container.streams.video)
    return kinds[has_pictures]


def is_plausible(sample_rate: int, channels: int) -> bool:
    """Whether sound of this form may be decoded; extremes only serve to exhaust the machine."""
    return sample_rate in _SAMPLE_RATES and 0 < channels <= _MOST_CHANNELS
