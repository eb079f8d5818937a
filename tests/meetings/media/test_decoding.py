"""Sound comes out as 16 kHz mono, at its right moment, from anywhere in the file."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from meetings.media import decode
from tests.bench import recordings
from tests.meetings.media import files

# WebM rounds its times to milliseconds, which is 16 samples.
A_FEW_SAMPLES = 16
# Rounded times lie between two samples, and WMA never decodes a stretch twice in the same way.
LIKENESS = {"studio.mkv": 0.98, "windows.wma": 0.98}


def whole(path: Path, **options: object) -> decode.Samples:
    blocks = decode.stream(path, **options)  # type: ignore[arg-type]
    return np.concatenate([np.zeros(0, np.float32), *blocks])


def shift_between(part: decode.Samples, other: decode.Samples, *, likeness: float = 0.999) -> int:
    """By how many samples `part` comes before `other`; they must otherwise be alike."""
    reach = 200
    middle = part[reach : min(len(part), len(other)) - reach]
    size = len(middle)
    scores = [float(np.dot(middle, other[at : at + size])) for at in range(2 * reach + 1)]
    best = int(np.argmax(scores))
    found = other[best : best + size]
    assert np.dot(middle, found) > likeness * np.linalg.norm(middle) * np.linalg.norm(found)
    return best - reach


@pytest.mark.parametrize("kind", files.KINDS, ids=lambda kind: kind.name)
def test_a_stretch_is_what_the_whole_recording_has_there(
    kind: files.Kind, made: dict[str, Path]
) -> None:
    path = made[kind.name]
    all_of_it = whole(path)
    assert len(all_of_it) == pytest.approx(files.SECONDS * decode.SAMPLE_RATE, rel=0.01)
    for start_ms, end_ms in ((0, 2000), (5000, 8000), (9003, 11_507)):
        part = whole(path, start_ms=start_ms, end_ms=end_ms)
        there = all_of_it[start_ms * 16 : end_ms * 16]
        assert len(part) == len(there)
        likeness = LIKENESS.get(kind.name, 0.999)
        assert abs(shift_between(part, there, likeness=likeness)) <= A_FEW_SAMPLES


@pytest.mark.parametrize("kind", files.KINDS, ids=lambda kind: kind.name)
def test_a_stretch_is_the_same_to_the_last_bit_whatever_was_read_before(
    kind: files.Kind, made: dict[str, Path]
) -> None:
    path = made[kind.name]
    stretches = [(0, 1000), (8000, 9000), (5003, 6500), (10_000, 40_000)]
    alone = [whole(path, start_ms=start, end_ms=end) for start, end in stretches]
    for order in ((3, 1, 0, 2), (0, 2, 1, 3)):
        with decode.open_recording(path) as reader:
            for number in order:
                assert np.array_equal(reader.read(*stretches[number]), alone[number])


def test_two_kinds_of_one_recording_are_heard_at_the_same_time(made: dict[str, Path]) -> None:
    original = whole(made["plain.wav"], start_ms=5000, end_ms=8000)
    for name in ("tagged.mp3", "opus.ogg", "browser.webm", "memo.m4a", "vorbis.ogg"):
        other = whole(made[name], start_ms=5000, end_ms=8000)
        assert abs(shift_between(other, original, likeness=0.9)) <= A_FEW_SAMPLES, name


def test_blocks_are_bounded_and_carry_plain_samples() -> None:
    blocks = list(decode.stream(recordings.TWO_SPEAKERS))
    assert {len(block) for block in blocks[:-1]} == {decode.BLOCK_SAMPLES}
    assert 0 < len(blocks[-1]) <= decode.BLOCK_SAMPLES
    assert all(block.dtype == np.float32 and block.ndim == 1 for block in blocks)
    assert max(float(np.abs(block).max()) for block in blocks) <= 1.0


def test_a_stretch_after_the_end_is_empty(made: dict[str, Path]) -> None:
    assert not len(whole(made["opus.ogg"], start_ms=60_000, end_ms=70_000))
    assert not len(whole(made["opus.ogg"], start_ms=2000, end_ms=2000))


def test_broken_packets_are_passed_over_and_counted(made: dict[str, Path], tmp_path: Path) -> None:
    data = bytearray(made["plain.flac"].read_bytes())
    for at in range(len(data) // 2, len(data) // 2 + 20_000, 500):
        data[at] ^= 0xFF
    path = tmp_path / "scratched.flac"
    path.write_bytes(data)
    damage = decode.Damage()
    heard = whole(path, damage=damage)
    assert damage.packets
    assert damage.lost_ms > 0
    assert len(heard) == pytest.approx(files.SECONDS * decode.SAMPLE_RATE, rel=0.02)
    original = whole(made["plain.flac"])
    assert shift_between(heard[-3 * 16_000 :], original[-3 * 16_000 :]) == 0


def test_a_hole_becomes_silence_so_that_later_words_keep_their_time(
    made: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "hole.webm"
    with av.open(str(made["opus.webm"])) as source, av.open(str(path), "w") as target:
        track = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.pts is not None and not 4000 < packet.pts < 8000:
                packet.stream = track
                target.mux(packet)
    original = whole(made["opus.webm"])
    damage = decode.Damage()
    heard = whole(path, damage=damage)
    assert abs(len(heard) - len(original)) < 400
    assert not heard[4200 * 16 : 7900 * 16].any()
    assert abs(shift_between(heard[9000 * 16 :], original[9000 * 16 :])) <= A_FEW_SAMPLES
    assert damage.packets == 0
    assert damage.lost_ms == pytest.approx(4000, abs=100)


def test_files_joined_end_to_end_are_heard_whole(made: dict[str, Path], tmp_path: Path) -> None:
    once = whole(made["opus.ogg"])
    path = tmp_path / "joined.ogg"
    path.write_bytes(made["opus.ogg"].read_bytes() * 2)
    damage = decode.Damage()
    twice = whole(path, damage=damage)
    assert damage.clock_restarts == 1
    assert len(twice) == pytest.approx(2 * len(once), rel=0.005)
    second = whole(path, start_ms=18_000, end_ms=21_000, seek=False)
    assert np.array_equal(second, twice[18_000 * 16 : 21_000 * 16])


def test_a_float_wav_full_of_nonsense_gives_samples_all_the_same(tmp_path: Path) -> None:
    samples = np.full(16_000, np.nan, np.float32)
    samples[::3] = np.inf
    samples[1::3] = -1e30
    path = files.write(files.BY_NAME["float.wav"], tmp_path / "nonsense.wav", samples)
    data = path.read_bytes()
    at = data.index(b"data") + 8
    path.write_bytes(data[:at] + np.resize(samples, (len(data) - at) // 4).tobytes())
    heard = whole(path)
    assert np.isfinite(heard).all()
    assert float(np.abs(heard).max()) <= 1.0


def test_the_file_is_closed_when_the_stream_is_left_early() -> None:
    open_files = len(list(Path("/dev/fd").iterdir()))
    stream = decode.stream(recordings.TWO_SPEAKERS)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert len(list(Path("/dev/fd").iterdir())) == open_files
