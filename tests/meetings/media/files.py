"""Recordings of every kind, made on the spot from a real one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream

from meetings.media import decode
from tests.bench import recordings

SECONDS = 12


@dataclass(frozen=True)
class Kind:
    """How a test file is written, and what it must be taken for."""

    name: str
    media_type: str
    container: str
    codec: str
    rate: int = 48_000
    layout: str = "mono"
    bit_rate: int | None = None
    container_options: dict[str, str] = field(default_factory=dict)
    codec_options: dict[str, str] = field(default_factory=dict)


KINDS = [
    Kind("plain.wav", "audio/wav", "wav", "pcm_s16le", 16_000),
    Kind("studio.wav", "audio/wav", "wav", "pcm_s24le", 44_100, "stereo"),
    Kind("float.wav", "audio/wav", "wav", "pcm_f32le", 44_100),
    Kind(
        "large.wav", "audio/wav", "wav", "pcm_s16le", 16_000, container_options={"rf64": "always"}
    ),
    Kind("tagged.mp3", "audio/mpeg", "mp3", "libmp3lame", 44_100, "stereo", 64_000),
    Kind(
        "bare.mp3",
        "audio/mpeg",
        "mp3",
        "libmp3lame",
        22_050,
        container_options={"write_xing": "0", "id3v2_version": "0"},
        codec_options={"global_quality": "472", "flags": "+qscale"},
    ),
    Kind(
        "phone.mp3",
        "audio/mpeg",
        "mp3",
        "libmp3lame",
        8_000,
        container_options={"id3v2_version": "0"},
    ),
    Kind("opus.ogg", "audio/ogg", "ogg", "libopus", bit_rate=24_000),
    Kind("vorbis.ogg", "audio/ogg", "ogg", "vorbis", 44_100, "stereo", None, {}, {"strict": "-2"}),
    Kind("flac.ogg", "audio/ogg", "ogg", "flac", 44_100),
    Kind("memo.m4a", "audio/mp4", "ipod", "aac", 44_100, bit_rate=64_000),
    Kind("lossless.m4a", "audio/mp4", "ipod", "alac", 44_100),
    Kind("call.mp4", "audio/mp4", "mp4", "aac", bit_rate=64_000),
    Kind(
        "pieces.mp4",
        "audio/mp4",
        "mp4",
        "aac",
        container_options={
            "movflags": "frag_keyframe+empty_moov",
            "frag_duration": "1000000",
        },
    ),
    Kind("opus.mp4", "audio/mp4", "mp4", "libopus"),
    Kind("opus.webm", "audio/webm", "webm", "libopus", bit_rate=24_000),
    Kind("browser.webm", "audio/webm", "webm", "libopus", 48_000, "mono", 24_000, {"live": "1"}),
    Kind("plain.flac", "audio/flac", "flac", "flac", 44_100),
    Kind("phone.3gp", "audio/3gpp", "3gp", "aac", 44_100),
    Kind("phone.amr", "audio/amr", "amr", "libopencore_amrnb", 8_000, bit_rate=12_200),
    Kind("editor.mov", "audio/quicktime", "mov", "pcm_s16be", 44_100, "stereo"),
    Kind("studio.mkv", "audio/x-matroska", "matroska", "aac", 44_100),
    Kind("radio.aac", "audio/aac", "adts", "aac", 44_100, bit_rate=64_000),
    Kind("windows.wma", "audio/x-ms-wma", "asf", "wmav2", 44_100, bit_rate=64_000),
    Kind("camera.ts", "video/mp2t", "mpegts", "aac", 48_000),
    Kind("mac.aiff", "audio/aiff", "aiff", "pcm_s16be", 44_100),
]
BY_NAME = {kind.name: kind for kind in KINDS}


def speech(seconds: float = SECONDS) -> decode.Samples:
    """The beginning of a real meeting."""
    blocks = decode.stream(recordings.TWO_SPEAKERS, end_ms=round(seconds * 1000))
    return np.concatenate(list(blocks))


def write(kind: Kind, path: Path, samples: decode.Samples) -> Path:
    """Encode 16 kHz samples as this kind of file."""
    with av.open(str(path), "w", format=kind.container, options=kind.container_options) as out:
        track = out.add_stream(
            kind.codec, rate=kind.rate, layout=kind.layout, options=kind.codec_options
        )
        assert isinstance(track, AudioStream)
        if kind.bit_rate:
            track.bit_rate = kind.bit_rate
        resampler = av.AudioResampler(
            format=track.codec_context.format, layout=kind.layout, rate=kind.rate
        )
        frames = [frame for second in _seconds(samples) for frame in resampler.resample(second)]
        for frame in [*frames, *resampler.resample(None), None]:
            out.mux(track.encode(frame))
    return path


def film(path: Path, *, sound: bool) -> Path:
    """Two seconds of moving grey, with a tone or silent."""
    with av.open(str(path), "w") as out:
        picture = out.add_stream("mpeg4", rate=10, width=64, height=64)
        track = out.add_stream("aac", rate=48_000, layout="mono") if sound else None
        for number in range(20):
            image = np.full((64, 64, 3), number * 10, np.uint8)
            out.mux(picture.encode(av.VideoFrame.from_ndarray(image)))
        out.mux(picture.encode(None))
        if track:
            tone = np.sin(np.arange(96_000) * 0.05, dtype=np.float32)[np.newaxis]
            frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            frame.sample_rate = 48_000
            out.mux(track.encode(frame))
            out.mux(track.encode(None))
    return path


def _seconds(samples: decode.Samples) -> Iterator[av.AudioFrame]:
    for start in range(0, len(samples), decode.SAMPLE_RATE):
        part = samples[np.newaxis, start : start + decode.SAMPLE_RATE]
        frame = av.AudioFrame.from_ndarray(part, format="flt", layout="mono")
        frame.sample_rate, frame.pts = decode.SAMPLE_RATE, start
        yield frame
