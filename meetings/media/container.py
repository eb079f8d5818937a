"""Opening a recording with FFmpeg's libraries so that a hostile file can only be refused.

The demuxer is chosen by what the bytes are, never guessed by FFmpeg, which knows playlists and
scripts that name other files. FFmpeg reads through our file object and may open nothing itself.
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

from core import errors
from meetings.media import sniff

AnyPath = str | os.PathLike[str]

_DEMUXERS = {
    sniff.MPEG: "mp3",
    sniff.WAV: "wav",
    sniff.MP4: "mp4",
    sniff.OGG: "ogg",
    sniff.WEBM: "webm",
    sniff.FLAC: "flac",
}
_CODECS = (
    "mp3,mp3float,mp2,mp2float,mp1,mp1float,aac,alac,opus,libopus,vorbis,libvorbis,flac,"
    "pcm_u8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,"
    "pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav,gsm_ms,ac3,eac3"
)
_OPTIONS = {
    "protocol_whitelist": "none",
    "codec_whitelist": _CODECS,
    # Enough to learn what the streams are; the default of 5 MB costs 40 ms on a WAV.
    "probesize": "262144",
    "max_probe_packets": "200",
}
_SAMPLE_RATES = range(4_000, 768_001)
_MOST_CHANNELS = 64

# What PyAV raises over a damaged file. Its own errors double as built-in ones (EOFError,
# MemoryError, PermissionError and so on), all of which mean "this file cannot be read".
DAMAGE = (av.FFmpegError, ValueError, ArithmeticError, LookupError, RuntimeError)


class Unreadable(errors.Invalid):
    """The file says it is a recording and cannot be played."""

    code = "recording.unreadable"
    sentence = "This recording is damaged: no sound could be read from it."


class NoAudio(errors.Invalid):
    """The file is sound in form and holds no sound."""

    code = "recording.no_audio"
    sentence = "This file holds no audio track."


@dataclass(frozen=True, slots=True)
class OpenAudio:
    """An open recording and its first audio track."""

    media_type: str
    container: InputContainer
    stream: AudioStream


@contextlib.contextmanager
def open_audio(path: AnyPath) -> Iterator[OpenAudio]:
    """Open the recording at `path` for demuxing; closes it afterwards.

    Raises NotAudio, Unreadable, NoAudio. What a missing file raises is the operating system's.
    """
    with Path(path).open("rb") as file:
        media_type = sniff.sniff(file.read(sniff.HEAD_BYTES))
        file.seek(0)
        try:
            container = _open(file, media_type)
        except DAMAGE as error:
            raise Unreadable from error
        with container:
            track = _audio_track(container)
            if media_type == sniff.FLAC:
                # Else a frame that fails its checksum is played all the same, as noise.
                track.codec_context.options = {"err_detect": "crccheck+explode"}
            yield OpenAudio(media_type, container, track)


def _open(file: BinaryIO, media_type: str) -> InputContainer:
    return av.open(
        file,
        mode="r",
        format=_DEMUXERS[media_type],
        options=_OPTIONS,
        metadata_errors="replace",
    )


def _audio_track(container: InputContainer) -> AudioStream:
    tracks = container.streams.audio
    if not tracks:
        raise NoAudio
    track = tracks[0]
    # Without a decoder there is no context, whatever the type says.
    if getattr(track.codec_context, "name", None) not in _CODECS.split(","):
        raise Unreadable("The sound in this recording is stored in a way that is not supported.")
    return track


def is_plausible(sample_rate: int, channels: int) -> bool:
    """Whether sound of this form may be decoded; extremes only serve to exhaust the machine."""
    return sample_rate in _SAMPLE_RATES and 0 < channels <= _MOST_CHANNELS
