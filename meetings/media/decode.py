"""Decodes a recording to 16 kHz mono samples, in bounded blocks, from any time.

Times are those of the file's clock, counted from its first sample: where packets are missing or a
recorder paused, silence keeps later words at their time. So a stretch decoded by itself, by another
process, equals that stretch of the whole recording.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet

from meetings.media.container import DAMAGE, MATROSKA, MP3, AnyPath, is_plausible, open_audio
from meetings.media.mix import Levels, Mix, Planes, TrackMix, bounded, mixed

Samples = np.ndarray[tuple[int], np.dtype[np.float32]]
_Chunk = tuple[int, Samples]

SAMPLE_RATE = 16_000
BLOCK_SAMPLES = 10 * SAMPLE_RATE

# Decoders remember: MP3 borrows bits from earlier frames, Opus predicts. After a seek this much is
# decoded and thrown away.
_WARM_UP_S = 2.0
# The first packets after a seek are cut at their start in one decoder and whole in another.
_UNSETTLED_PACKETS = 3
# Containers round their time stamps; only a larger disagreement is a hole or an overlap.
_TOLERANCE_S = 0.04
_ROUNDING_S = 0.002
# A longer hole is a broken clock and not a pause.
_LONGEST_HOLE_S = 3600.0
# A longer step back is a clock that started again and not a rounding.
_LONGEST_OVERLAP_S = 1.0
_BROKEN_READS = 20
# These have no index: FFmpeg finds its way once and remembers, so they are kept open. (What it
# finds costs 0.3 s an hour; opening the others again costs a few ms.) Their decoders forget all
# when they are told to, unlike that of AAC.
_SLOW_TO_SEEK = (MP3, MATROSKA)
_FORGETFUL = ("mp3", "mp3float", "opus", "libopus", "vorbis")
_LONGEST_LEAD_S = 0.02
_SILENCE = np.zeros(BLOCK_SAMPLES, np.float32)


@dataclass(slots=True)
class Damage:
    """The damage of a stretch; filled in while it is streamed.

    `lost_ms` is time for which the file holds no sound. `clock_restarts` counts where the
    file's clock jumped, as in files joined end to end: those must be decoded from the start.
    """

    packets: int = 0
    lost_ms: int = 0
    clock_restarts: int = 0


@dataclass(frozen=True, slots=True)
class _TimedFrame:
    """A decoded frame and when it begins, in seconds from the recording's start."""

    frame: AudioFrame
    at: float | None
    after_damage: bool


class Reader:
    """An open recording from which any stretches can be decoded, in any order.

    A stretch is the same to the last bit whatever was read before it: the first packet a decoder
    sees depends on the stretch alone, and decoders that keep something across a seek are replaced.
    """

    def __init__(self, path: AnyPath, mix: TrackMix | None = None) -> None:
        self._path = path
        self._track = mix.track if mix else None
        self._weights = mix.weights if mix else ()
        self._closing = contextlib.ExitStack()
        self._audio = self._closing.enter_context(open_audio(path, track=self._track))
        self._touched = False

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def channels(self) -> int:
        """How many channels the track has."""
        count: int = self._audio.stream.codec_context.channels
        return count

    def read(self, start_ms: int, end_ms: int, *, seek: bool = True) -> Samples:
        """The samples of a stretch at once; shorter when the recording ends before."""
        blocks = list(self.stream(start_ms=start_ms, end_ms=end_ms, seek=seek))
        return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)

    def stream(
        self,
        *,
        start_ms: int = 0,
        end_ms: int | None = None,
        seek: bool = True,
        damage: Damage | None = None,
        levels: Levels | None = None,
    ) -> Iterator[Samples]:
        """Blocks of up to 10 s from `start_ms` up to `end_ms`, or to the end of the recording.

        With `seek=False` everything before the start is decoded too, which is slow and right even
        when the file's clock is not. Broken packets are passed over and counted in `damage`, the
        channels of all that is decoded are compared in `levels`.
        """
        damage = Damage() if damage is None else damage
        first = start_ms * SAMPLE_RATE // 1000
        last = None if end_ms is None else end_ms * SAMPLE_RATE // 1000
        timed_frames = self._frames_from(start_ms / 1000, seek, damage)
        converter = _Converter(self._weights, levels)
        return _blocks(_between(_timeline(timed_frames, damage, converter), first, last))

    def _frames_from(self, start: float, seek: bool, damage: Damage) -> Iterator[_TimedFrame]:
        """Decoded frames from the recording's start, or from a little before `start` (seconds)."""
        target = start - _WARM_UP_S
        if seek and target > 0:
            with contextlib.suppress(*DAMAGE):
                timed_frames = self._timed_frames(self._seek(target), start, damage)
                timed_frame = next(timed_frames, None)
                # A container without an index may land too late, or at the end.
                if timed_frame and timed_frame.at is not None and timed_frame.at <= start:
                    return itertools.chain([timed_frame], timed_frames)
        self._reopen()
        return self._timed_frames(None, start, damage)

    def _seek(self, target: float) -> int:
        """Move the demuxer to this second or before it; the time stamp that was asked for."""
        stream = self._audio.stream
        is_slow = self._audio.format in _SLOW_TO_SEEK
        if not (is_slow and stream.codec_context.name in _FORGETFUL):
            self._reopen()
            stream = self._audio.stream
        ticks = (stream.start_time or 0) + round(target / float(stream.time_base or 0))
        self._audio.container.seek(ticks, stream=stream)
        stream.codec_context.flush_buffers()
        self._touched = True
        return ticks

    def _reopen(self) -> None:
        if self._touched:
            self._closing.close()
            self._audio = self._closing.enter_context(open_audio(self._path, track=self._track))
        self._touched = True

    def _timed_frames(
        self, floor: int | None, start: float, damage: Damage
    ) -> Iterator[_TimedFrame]:
        """Decoded frames with their times, from the first packet that is not before `floor`.

        Damage before `start` is not counted.
        """
        stream = self._audio.stream
        base, origin = float(stream.time_base or 0), stream.start_time or 0
        is_damaged, unsettled = False, _UNSETTLED_PACKETS if floor is not None else 0
        for packet in self._packets(damage):
            if floor is not None and packet.pts is not None and packet.pts < floor:
                continue
            floor = None
            unsettled -= 1
            try:
                frames = packet.decode()
            except DAMAGE:
                if packet.pts is None or (packet.pts - origin) * base >= start:
                    damage.packets += 1
                    is_damaged = True
                continue
            for frame in () if unsettled >= 0 else frames:
                if frame.samples and is_plausible(frame.sample_rate, frame.layout.nb_channels):
                    at = None if frame.pts is None else (frame.pts - origin) * base
                    yield _TimedFrame(frame, at, is_damaged)
                    is_damaged = False

    def _packets(self, damage: Damage) -> Iterator[Packet[AudioStream]]:
        for _ in range(_BROKEN_READS):
            try:
                yield from self._audio.container.demux(self._audio.stream)
                return
            except DAMAGE:
                damage.packets += 1


class _Converter:
    """Turns frames of any form into chunks of 16 kHz mono, each with its first sample's number."""

    def __init__(self, weights: tuple[float, ...], levels: Levels | None) -> None:
        self._weights = weights
        self._levels = levels
        self._resampler: av.AudioResampler | None = None
        self._gathered = av.AudioFifo()
        self._form: tuple[str, str, int] | None = None
        self._at = 0.0
        self._lead = self._next = 0

    def place(self, at: float) -> Iterator[_Chunk]:
        """Hand out what is under way; the frame that comes next begins at this second."""
        if self._resampler is not None:
            yield from self._convert()
            yield from self._chunks(self._resampler, None)
        self._resampler = None
        self._at = at

    def feed(self, frame: AudioFrame, at: float) -> Iterator[_Chunk]:
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or form != self._form:
            yield from self.place(at)
            self._begin(form)
        frame.pts = None
        self._gathered.write(frame)
        # Frames are short; converting a second at a time halves the cost.
        if self._gathered.samples >= frame.sample_rate:
            yield from self._convert()

    def _begin(self, form: tuple[str, str, int]) -> None:
        """Begin where an input sample and a 16 kHz sample fall together, a few ms later at most.

        That makes the samples of a stretch those of the whole recording, not some between them.
        """
        self._form, rate = form, form[2]
        self._gathered = av.AudioFifo()
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
        number = round(self._at * rate)
        step = rate // math.gcd(rate, SAMPLE_RATE)
        self._lead = -number % step if step <= rate * _LONGEST_LEAD_S else 0
        self._next = round((number + self._lead) * SAMPLE_RATE / rate)

    def _convert(self) -> Iterator[_Chunk]:
        lead, self._lead = self._lead, 0
        if self._resampler is None or self._gathered.samples <= lead:
            return
        if lead:
            self._gathered.read(lead)
        if (frame := self._gathered.read()) is not None:
            planes = _planes(frame)
            if self._levels is not None and planes.shape[1] > 1:
                self._levels.add(planes)
            samples = np.ascontiguousarray(mixed(planes, self._weights)[np.newaxis])
            mono = AudioFrame.from_ndarray(samples, format="flt", layout="mono")
            mono.sample_rate = frame.sample_rate
            yield from self._chunks(self._resampler, mono)

    def _chunks(self, resampler: av.AudioResampler, whole: AudioFrame | None) -> Iterator[_Chunk]:
        try:
            frames = resampler.resample(whole)
        except DAMAGE:
            return
        for frame in frames:
            samples: Samples = np.clip(frame.to_ndarray().reshape(-1), -1.0, 1.0)
            yield self._next, samples
            self._next += len(samples)


def _planes(frame: AudioFrame) -> Planes:
    """The samples of each channel, -1 to 1 in most files."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    planes: Planes = samples.astype(np.float32)
    if samples.dtype == np.uint8:
        return (planes - np.float32(128)) / np.float32(128)
    if samples.dtype.kind == "i":
        return planes / np.float32(2 ** (8 * samples.dtype.itemsize - 1))
    return bounded(planes)


def _timeline(
    timed_frames: Iterable[_TimedFrame], damage: Damage, converter: _Converter
) -> Iterator[_Chunk]:
    """Lay the frames on the recording's clock, counting samples as long as it agrees."""
    clock, shift = None, 0.0
    for timed_frame in timed_frames:
        expected = 0.0 if clock is None else clock
        at = expected if timed_frame.at is None else timed_frame.at + shift
        hole = at - expected
        if clock is None:
            yield from converter.place(at)
        elif not -_LONGEST_OVERLAP_S < hole < _LONGEST_HOLE_S:
            damage.clock_restarts += 1
            shift, at = shift - hole, expected
        elif hole > (_ROUNDING_S if timed_frame.after_damage else _TOLERANCE_S):
            damage.lost_ms += round(hole * 1000)
            yield from converter.place(at)
        elif hole < -_TOLERANCE_S:
            continue
        else:
            at = expected
        yield from converter.feed(timed_frame.frame, at)
        clock = at + timed_frame.frame.samples / timed_frame.frame.sample_rate
    yield from converter.place(0.0)


def _between(chunks: Iterable[_Chunk], first: int, last: int | None) -> Iterator[Samples]:
    """The samples numbered `first` up to `last`, with silence where no chunk reaches."""
    at = first
    for number, samples in chunks:
        if last is not None and at >= last:
            return
        end = number + len(samples)
        end = end if last is None else min(end, last)
        while at < min(number, end):
            silence = _SILENCE[: min(number, end) - at]
            at += len(silence)
            yield silence
        if at < end:
            yield samples[at - number : end - number]
            at = end


def _blocks(arrays: Iterable[Samples]) -> Iterator[Samples]:
    """The same samples in blocks of `BLOCK_SAMPLES`, the last one shorter."""
    waiting: list[Samples] = []
    count = 0
    for array in arrays:
        waiting.append(array)
        count += len(array)
        if count < BLOCK_SAMPLES:
            continue
        joined = np.concatenate(waiting)
        while len(joined) >= BLOCK_SAMPLES:
            yield joined[:BLOCK_SAMPLES]
            joined = joined[BLOCK_SAMPLES:]
        waiting, count = [joined], len(joined)
    if count:
        yield np.concatenate(waiting)


class MixReader:
    """An open recording of which several audio tracks are read as one sound."""

    def __init__(self, path: AnyPath, mix: Mix) -> None:
        with contextlib.ExitStack() as opening:
            self._readers = [opening.enter_context(Reader(path, part)) for part in mix or (None,)]
            self._closing = opening.pop_all()

    def __enter__(self) -> MixReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def read(self, start_ms: int, end_ms: int) -> Samples:
        """The samples of a stretch at once; shorter when all tracks end before."""
        return _sum([reader.read(start_ms, end_ms) for reader in self._readers])

    def stream(self, *, start_ms: int, end_ms: int) -> Iterator[Samples]:
        """The samples of a stretch in blocks of up to 10 s, found without a seek."""
        streams = [
            reader.stream(start_ms=start_ms, end_ms=end_ms, seek=False) for reader in self._readers
        ]
        nothing = np.zeros(0, np.float32)
        for blocks in itertools.zip_longest(*streams, fillvalue=nothing):
            yield _sum(list(blocks))


def _sum(parts: list[Samples]) -> Samples:
    if len(parts) == 1:
        return parts[0]
    total = np.zeros(max(map(len, parts)), np.float32)
    for part in parts:
        total[: len(part)] += part
    return np.clip(total, -1.0, 1.0)


def open_recording(path: AnyPath, mix: TrackMix | None = None) -> Reader:
    """Open one track of a recording for decoding, as a context; the first without a mix.

    Raises NotAudio, NotSupported, Unreadable, NoAudio.
    """
    return Reader(path, mix)


def stream(
    path: AnyPath,
    *,
    start_ms: int = 0,
    end_ms: int | None = None,
    seek: bool = True,
    damage: Damage | None = None,
) -> Iterator[Samples]:
    """`Reader.stream` of a recording that is opened for this and closed afterwards."""
    with open_recording(path) as reader:
        yield from reader.stream(start_ms=start_ms, end_ms=end_ms, seek=seek, damage=damage)
