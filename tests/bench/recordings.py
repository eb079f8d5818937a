"""Recordings to measure with: what they say, how to make long ones, how wrong a text is."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import av
import jiwer

AUDIO = Path(__file__).resolve().parent.parent / "data" / "audio"
JFK = AUDIO / "jfk.flac"
TWO_SPEAKERS = AUDIO / "meeting_2spk_170s.ogg"
FOUR_SPEAKERS = AUDIO / "meeting_4spk_322s.ogg"


def said_in(recording: Path) -> str:
    """What is really said, from the text or the utterances beside the recording."""
    plain = recording.with_suffix(".txt")
    if plain.is_file():
        return plain.read_text("utf-8")
    utterances = json.loads(recording.with_suffix(".ref.json").read_text("utf-8"))
    return " ".join(utterance["text"] for utterance in utterances)


def wer(reference: str, hypothesis: str) -> float:
    """Word errors per 100 words of the reference; case and punctuation do not count."""
    return 100 * jiwer.wer(_words(reference), _words(hypothesis))


def _words(text: str) -> str:
    straight = text.lower().replace("\u2019", "'")
    return " ".join(re.sub(r"[^\w' ]+", " ", straight).split())


def repeated(recording: Path, seconds: int, folder: Path | None = None) -> Path:
    """A file of at least this length: the recording's packets again and again, not re-encoded.

    Made once per folder, by default a folder of this user's temporary files.
    """
    folder = folder or Path(tempfile.gettempdir()) / "minutebook-recordings"
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{recording.stem}_{seconds}s{recording.suffix}"
    if not made.is_file():
        unfinished = made.with_name(f"unfinished-{made.name}")
        _repeat(recording, seconds, unfinished)
        unfinished.replace(made)
    return made


def _repeat(recording: Path, seconds: int, to: Path) -> None:
    with av.open(str(recording)) as source, av.open(str(to), "w") as target:
        track = source.streams.audio[0]
        packets = [packet for packet in source.demux(track) if packet.size]
        usual, base = packets[1].duration, track.time_base
        assert usual
        assert base
        # Only whole packets follow each other without a seam in the clock.
        whole = [bytes(packet) for packet in packets if packet.duration == usual]
        copied = target.add_stream_from_template(track)
        for number in range(int(seconds / base) // usual + 1):
            packet = av.Packet(whole[number % len(whole)])
            packet.time_base, packet.duration, packet.stream = base, usual, copied
            packet.pts = packet.dts = number * usual
            target.mux(packet)
