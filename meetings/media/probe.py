"""Finds the facts of a recording, quickly enough to answer an upload with them."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core import errors
from meetings.media.container import (
    DAMAGE,
    FLAC,
    MATROSKA,
    MP3,
    WAV,
    AnyPath,
    NoAudio,
    NotSupported,
    OpenAudio,
    Unreadable,
    is_decodable,
    is_plausible,
    open_audio,
)
from meetings.media.sniff import NotAudio

__all__ = [
    "AudioFacts",
    "EmptyRecording",
    "NoAudio",
    "NotAudio",
    "NotSupported",
    "TooLong",
    "Unreadable",
    "check_length",
    "probe",
]

# Junk behind a good header fails at once; a real recording may begin with a few broken packets.
_PACKETS_TO_TRY = 25
_TAIL_BYTES = 4 * 1024**2
_EBML_CLUSTER = b"\x1f\x43\xb6\x75"
_EBML_TIMESTAMP = 0xE7
_FAR_AWAY_S = 1_000_000
_WITHOUT_LENGTH = ("aac", "ac3", "eac3", "dts", "loas", "amr", "mpegts", "mpeg")


class EmptyRecording(errors.Invalid):
    """The file has no bytes."""

    code = "recording.empty"
    message = "The recording is empty."


class TooLong(errors.TooLarge):
    """The recording plays longer than this server accepts."""

    code = "recording.too_long"
    message = "The recording is longer than this server accepts."


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """What a recording is. `duration_ms` is a guess where the file does not state it."""

    media_type: str
    container: str
    codec: str
    duration_ms: int
    duration_is_estimate: bool
    channels: int
    sample_rate: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def probe(path: AnyPath, *, max_ms: int | None = None) -> AudioFacts:
    """Return the facts of a file after decoding its beginning; reads a bounded part of it.

    The length comes from the file's header, which may lie; `check_length` runs again while the
    recording is decoded. Raises EmptyRecording, NotAudio, NotSupported, Unreadable, NoAudio,
    TooLong.
    """
    size = Path(path).stat().st_size
    if size == 0:
        raise EmptyRecording
    with open_audio(path) as audio:
        tracks = [index for index, track in enumerate(audio.tracks) if is_decodable(track)]
    facts = _first_readable(path, size, tracks)
    check_length(facts.duration_ms, max_ms)
    return facts


def check_length(duration_ms: int, max_ms: int | None) -> None:
    """Raise TooLong when a limit is given and the duration is over it."""
    if max_ms is not None and duration_ms > max_ms:
        hours = max_ms / 3_600_000
        raise TooLong(f"The recording is longer than the {hours:g} hours this server accepts.")


def _first_readable(path: AnyPath, size: int, tracks: list[int]) -> AudioFacts:
    """The facts of the first of these tracks that can be played. Raises Unreadable without one."""
    for track in tracks:
        with open_audio(path, track=track) as audio, contextlib.suppress(Unreadable, *DAMAGE):
            return _facts(audio, path, size)
    raise Unreadable


def _facts(audio: OpenAudio, path: AnyPath, size: int) -> AudioFacts:
    played_ms, used_bytes = _try_packets(audio)
    codec = audio.stream.codec_context
    if not is_plausible(codec.sample_rate, codec.channels):
        raise Unreadable
    stated = _stated_ms(audio, size)
    return AudioFacts(
        media_type=audio.media_type,
        container=audio.container.format.name,
        codec=codec.name.removesuffix("float"),
        duration_ms=stated
        or _last_packet_end_ms(audio, path, size)
        or round(played_ms * size / max(used_bytes, 1)),
        duration_is_estimate=not stated or _is_estimate(audio),
        channels=codec.channels,
        sample_rate=codec.sample_rate,
    )


def _try_packets(audio: OpenAudio) -> tuple[float, int]:
    """Decode the first packets: how many ms of sound came from how many bytes.

    Raises Unreadable when less than half of them hold sound.
    """
    tried = good = used_bytes = 0
    played_ms = 0.0
    for packet in audio.container.demux(audio.stream):
        if tried == _PACKETS_TO_TRY:
            break
        tried += bool(packet.size)
        used_bytes += packet.size
        try:
            frames = packet.decode()
        except DAMAGE:
            continue
        good += any(frame.samples for frame in frames)
        played_ms += sum(1000 * frame.samples / frame.sample_rate for frame in frames)
    if not good or good * 2 < tried:
        raise Unreadable
    return played_ms, used_bytes


def _stated_ms(audio: OpenAudio, size: int) -> int:
    """Return the length in the header, 0 when it has none."""
    stream = audio.stream
    if stream.duration and stream.time_base:
        stated = float(stream.duration * stream.time_base)
    else:
        stated = (audio.container.duration or 0) / 1_000_000
    rate = stream.codec_context.bit_rate
    if audio.format == WAV and rate:
        # A WAV whose end is missing still has the full length in its header.
        stated = min(stated, size * 8 / rate)
    return max(0, round(stated * 1000))


def _is_estimate(audio: OpenAudio) -> bool:
    """Whether FFmpeg estimated the length from the bit rate, which may change on the way.

    An MP3 states its length in a Xing or Info frame, which also gives it a start time.
    """
    return audio.format in _WITHOUT_LENGTH or (audio.format == MP3 and not audio.stream.start_time)


def _last_packet_end_ms(audio: OpenAudio, path: AnyPath, size: int) -> int:
    """Return the end of the last packet, for files written as a stream; 0 when it is unknown."""
    if audio.format == MATROSKA:
        return _last_cluster_start_ms(path, size)
    if audio.format != FLAC:
        return 0
    stream = audio.stream
    base = stream.time_base
    if base is None:
        return 0
    audio.container.seek(round(_FAR_AWAY_S / base), stream=stream)
    ends = [
        packet.pts + (packet.duration or 0)
        for packet in audio.container.demux(stream)
        if packet.pts is not None
    ]
    return round(float(max(ends, default=0) * base) * 1000)


def _last_cluster_start_ms(path: AnyPath, size: int) -> int:
    """The time stamp of the last Matroska cluster, assuming ticks of 1 ms as browsers write.

    A browser closes its stream without going back to write the length (RFC 9559, section 5.1.3).
    """
    with Path(path).open("rb") as file:
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read()
    at = tail.rfind(_EBML_CLUSTER)
    if at < 0:
        return 0
    # The cluster's size field takes as many bytes as its first byte has leading zeros, plus one.
    at += len(_EBML_CLUSTER)
    at += 9 - tail[at].bit_length() if at < len(tail) else 0
    if tail[at : at + 1] != bytes([_EBML_TIMESTAMP]) or len(tail) < at + 2:
        return 0
    length = tail[at + 1] & 0x7F
    return int.from_bytes(tail[at + 2 : at + 2 + length]) if length <= 8 else 0
