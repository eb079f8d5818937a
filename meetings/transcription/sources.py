"""Finds the speech of a recording: its tracks, its channels and its times.

Every audio track is read from start to end, because speech that is missed here is lost without a
trace. Channels that carry different sounds, or would cancel each other, are read separately, quiet
ones amplified. A source is such a group of channels of one track.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from meetings.media import decode, vad
from meetings.media.container import AnyPath, Unreadable, is_decodable, open_audio
from meetings.media.mix import ChannelGroup, Levels, Mix, TrackMix, gain_db, level_db
from meetings.media.vad import FRAME_MS, SAMPLE_RATE, Samples
from meetings.text.notes import Note, NoteCode

# Takes the ms read so far; an error from it ends the work.
Watcher = Callable[[int], None]

# A blip shorter than 96 ms is a click, not a word.
SHORTEST_SPEECH_FRAMES = 3
_MOST_TRACKS = 8

# A seek is right when two seconds found by it are those of the whole recording, up to 20 ms off.
_SAMPLE_OF_SEEKING = 2 * SAMPLE_RATE
_SEEK_TOLERANCE = SAMPLE_RATE // 50
_LEAST_LIKENESS = 0.8
_LEAST_LOUDNESS = 1e-3


@dataclass(frozen=True, slots=True)
class Source:
    """Channels of one track, and how likely each 32 ms frame of them holds speech."""

    track: int
    group: ChannelGroup
    chances: Samples
    duration_ms: int
    damage: decode.Damage
    is_seekable: bool

    def has_speech(self, first: int = 0, last: int | None = None) -> bool:
        """Whether there is speech in the frames from `first` up to `last`."""
        spans = vad.spans(self.chances[first:last])
        return any(end - start >= SHORTEST_SPEECH_FRAMES for start, end in spans)


@dataclass(frozen=True, slots=True)
class Listening:
    """The sources to transcribe, and notes on what is left out."""

    sources: tuple[Source, ...]
    notes: tuple[Note, ...]
    is_plain: bool

    @property
    def duration_ms(self) -> int:
        return max(source.duration_ms for source in self.sources)

    @property
    def damage(self) -> decode.Damage:
        """The damage of the track that lost most."""
        return max((s.damage for s in self.sources), key=attrgetter("lost_ms", "packets"))

    @property
    def is_seekable(self) -> bool:
        """Whether a stretch is found without decoding all that comes before it."""
        return all(source.is_seekable for source in self.sources)

    @property
    def chances(self) -> Samples:
        """How likely each frame holds speech in any source."""
        found = np.zeros(max(len(source.chances) for source in self.sources), np.float32)
        for source in self.sources:
            part = found[: len(source.chances)]
            np.maximum(part, source.chances, out=part)
        return found

    def mix(self, start_ms: int, end_ms: int) -> Mix:
        """The sum of the sources that hold speech in this stretch."""
        if self.is_plain:
            return ()
        first, last = start_ms // FRAME_MS, -(-end_ms // FRAME_MS)
        speaking = [source for source in self.sources if source.has_speech(first, last)]
        weights: dict[int, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
        for source in speaking or self.sources:
            share = np.array(source.group.weights) / len(speaking or self.sources)
            weights[source.track] = weights.get(source.track, 0) + share
        return tuple(TrackMix(track, tuple(weights[track].tolist())) for track in sorted(weights))


def listen(path: AnyPath, watch: Watcher) -> Listening:
    """Find the speech of a whole recording, as a stream.

    Raises NotAudio, NotSupported, Unreadable, NoAudio.
    """
    with open_audio(path) as audio:
        languages = [track.language or "" for track in audio.tracks]
        decodable = [index for index, track in enumerate(audio.tracks) if is_decodable(track)]
    examined = decodable[:_MOST_TRACKS]
    sources = [source for track in examined for source in _sources_of(path, track, watch)]
    readable = {source.track for source in sources}
    unreadable = set(range(len(languages))) - readable - set(decodable[_MOST_TRACKS:])
    notes = [
        *_track_notes(NoteCode.TRACKS_NOT_READABLE, unreadable),
        *_track_notes(NoteCode.TRACKS_NOT_EXAMINED, set(decodable[_MOST_TRACKS:])),
    ]
    if not sources:
        raise Unreadable
    used = _without_dubbed([s for s in sources if s.has_speech()], languages)
    if not used:
        return Listening(tuple(sources), (*notes, Note(NoteCode.NO_SPEECH)), is_plain=True)
    return Listening(
        tuple(used),
        (*notes, *_source_notes(sources, used)),
        is_plain=len(used) == 1 and used[0].track == decodable[0] and used[0].group.is_plain,
    )


def _sources_of(path: AnyPath, track: int, watch: Watcher) -> list[Source]:
    """Return the sources of a track; none when it cannot be decoded."""
    levels = Levels()
    average = _read_source(path, track, None, watch, levels)
    if not average.duration_ms:
        return []
    groups = levels.groups()
    if not groups or (len(groups) == 1 and groups[0].is_plain):
        return [average]
    return [_read_source(path, track, group, watch) for group in groups]


def _read_source(
    path: AnyPath,
    track: int,
    group: ChannelGroup | None,
    watch: Watcher,
    levels: Levels | None = None,
) -> Source:
    """Return a group of channels, or the average of all, as a source."""
    mix = TrackMix(track, group.weights if group else ())
    damage, sample = decode.Damage(), _SeekSample()
    samples = 0

    def watched(blocks: Iterator[Samples]) -> Iterator[Samples]:
        nonlocal samples
        for block in blocks:
            sample.take(block, samples)
            samples += len(block)
            watch(samples * 1000 // SAMPLE_RATE)
            yield _amplified(block)

    with decode.open_recording(path, mix) as reader:
        blocks = reader.stream(damage=damage, levels=levels)
        chances = np.concatenate([np.zeros(0, np.float32), *vad.probabilities(watched(blocks))])
        is_seekable = not damage.clock_restarts and sample.is_found_by(reader)
        group = group or ChannelGroup.plain(reader.channels)
    duration_ms = samples * 1000 // SAMPLE_RATE
    return Source(track, group, chances, duration_ms, damage, is_seekable)


def _amplified(block: Samples) -> Samples:
    """Return ten seconds as the voice detector needs them: amplified where all of it is quiet."""
    seconds = np.split(block, range(SAMPLE_RATE, len(block), SAMPLE_RATE))
    gain = gain_db(max(map(level_db, seconds)))
    return np.clip(block * np.float32(10 ** (gain / 20)), -1.0, 1.0) if gain else block


class _SeekSample:
    """The last stretch of some loudness in which a seek is tried out."""

    def __init__(self) -> None:
        self._at = 0
        self._samples: Samples | None = None

    def take(self, block: Samples, at: int) -> None:
        beginning = block[:_SAMPLE_OF_SEEKING]
        is_loud = float(np.abs(beginning).mean()) > _LEAST_LOUDNESS
        if at and len(beginning) == _SAMPLE_OF_SEEKING and is_loud:
            self._at, self._samples = at, beginning.copy()

    def is_found_by(self, reader: decode.Reader) -> bool:
        """Whether a seek leads there. True when there is nothing to compare."""
        if self._samples is None:
            return True
        start_ms = self._at * 1000 // SAMPLE_RATE
        found = reader.read(start_ms, start_ms + _SAMPLE_OF_SEEKING * 1000 // SAMPLE_RATE)
        if len(found) < _SAMPLE_OF_SEEKING:
            return False
        middle = self._samples[_SEEK_TOLERANCE:-_SEEK_TOLERANCE]
        likeness = np.correlate(found, middle, "valid")
        best = int(np.argmax(likeness))
        there = found[best : best + len(middle)]
        scale = float(np.linalg.norm(middle) * np.linalg.norm(there))
        return bool(likeness[best] >= _LEAST_LIKENESS * scale)


def _without_dubbed(sources: list[Source], languages: list[str]) -> list[Source]:
    """Return the sources whose track is in the language of the first; others are dubbed."""
    marked = [languages[s.track] for s in sources if languages[s.track] not in ("", "und")]
    return [s for s in sources if languages[s.track] in ("", "und", *marked[:1])]


def _track_notes(code: NoteCode, tracks: set[int]) -> list[Note]:
    return [Note(code, {"tracks": [track + 1 for track in sorted(tracks)]})] if tracks else []


def _source_notes(sources: list[Source], used: list[Source]) -> Iterator[Note]:
    """Yield notes on sources left out, and on changed channels of those that are used."""
    used_tracks = {source.track for source in used}
    speaking_tracks = {source.track for source in sources if source.has_speech()}
    silent_tracks = {source.track for source in sources} - speaking_tracks
    yield from _track_notes(NoteCode.TRACKS_WITHOUT_SPEECH, silent_tracks)
    yield from _track_notes(NoteCode.TRACKS_IN_OTHER_LANGUAGES, speaking_tracks - used_tracks)
    for source in sources:
        details = {"track": source.track + 1}
        if source not in used:
            if source.track in used_tracks:
                yield Note(
                    NoteCode.CHANNELS_WITHOUT_SPEECH, details | {"channels": source.group.channels}
                )
            continue
        if source.group.inverted:
            yield Note(NoteCode.CHANNELS_INVERTED, details | {"channels": source.group.inverted})
        if source.group.gain_db:
            yield Note(
                NoteCode.QUIET_SPEECH_AMPLIFIED, details | {"decibels": source.group.gain_db}
            )
