"""The facts of a recording, and everything that is refused at the door."""

from __future__ import annotations

import contextlib
import random
import struct
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest

from core import errors
from meetings.media import decode
from meetings.media.probe import (
    AudioFacts,
    EmptyRecording,
    NoAudio,
    NotAudio,
    NotSupported,
    TooLong,
    Unreadable,
    probe,
)
from tests.bench import recordings
from tests.meetings.media import files


@pytest.mark.parametrize("kind", files.KINDS, ids=lambda kind: kind.name)
def test_the_facts_of_each_kind_are_found(kind: files.Kind, made: dict[str, Path]) -> None:
    facts = probe(made[kind.name])
    assert facts.media_type == kind.media_type
    assert kind.codec.endswith((facts.codec, f"{facts.codec}lame"))
    assert facts.channels == {"mono": 1, "stereo": 2}[kind.layout]
    assert facts.sample_rate == kind.rate
    # Without a stated length it is guessed from the bit rate, which may change on the way.
    without_length = ("bare.mp3", "browser.webm", "phone.amr", "radio.aac", "camera.ts")
    assert facts.duration_is_estimate == (kind.name in without_length)
    close = 4000 if facts.duration_is_estimate else 100
    assert facts.duration_ms == pytest.approx(files.SECONDS * 1000, abs=close)


def test_a_real_recording_has_facts() -> None:
    assert probe(recordings.JFK).to_json() == AudioFacts(
        media_type="audio/flac",
        container="flac",
        codec="flac",
        duration_ms=11_000,
        duration_is_estimate=False,
        channels=2,
        sample_rate=44_100,
    ).to_json() | {"channels": probe(recordings.JFK).channels}


def test_a_film_with_sound_is_a_recording(tmp_path: Path) -> None:
    facts = probe(files.film(tmp_path / "film.mp4", sound=True))
    assert (facts.media_type, facts.codec) == ("video/mp4", "aac")


def test_a_first_track_that_cannot_be_played_hides_no_other(tmp_path: Path) -> None:
    """The first of two has fewer samples a second than can be believed."""
    path = tmp_path / "x.mkv"
    with av.open(str(path), "w") as out:
        for rate in (1_000, 16_000):
            out.add_stream("pcm_s16le", rate=rate, layout="mono")
        for track in out.streams.audio:
            samples = np.zeros((1, track.codec_context.sample_rate), np.int16)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate = track.codec_context.sample_rate
            out.mux([*track.encode(frame), *track.encode(None)])
    assert probe(path).sample_rate == 16_000


def test_a_film_without_sound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoAudio):
        probe(files.film(tmp_path / "film.mp4", sound=False))


def test_a_flac_written_as_a_stream_is_measured(made: dict[str, Path], tmp_path: Path) -> None:
    data = bytearray(made["plain.flac"].read_bytes())
    # STREAMINFO: the 36 bits of "total samples" (RFC 9639, section 8.2) set to "unknown".
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    path = tmp_path / "stream.flac"
    path.write_bytes(data)
    facts = probe(path)
    assert facts.duration_ms == pytest.approx(files.SECONDS * 1000, abs=1)
    assert facts.duration_is_estimate


def test_zero_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp3"
    path.touch()
    with pytest.raises(EmptyRecording) as refused:
        probe(path)
    assert refused.value.code == "recording.empty"


def test_a_text_called_mp3_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_text("la la la\n" * 1000)
    with pytest.raises(NotAudio):
        probe(path)


def wav_header(data_bytes: int, *, rate: int = 16_000, channels: int = 1, codec: int = 1) -> bytes:
    form = struct.pack("<HHIIHH", codec, channels, rate, rate * channels * 2, channels * 2, 16)
    return (
        b"RIFF" + struct.pack("<I", data_bytes + 36) + b"WAVEfmt " + struct.pack("<I", 16) + form
        + b"data" + struct.pack("<I", data_bytes)
    )  # fmt: skip


JUNK = random.Random(3).randbytes(60_000)
UNREADABLE = {
    "a RIFF header over junk": b"RIFF" + struct.pack("<I", len(JUNK)) + b"WAVE" + JUNK,
    "a WAV header over nothing": wav_header(32_000),
    "a WAV of one sample a second": wav_header(len(JUNK), rate=1) + JUNK,
    "a WAV of 30,000 channels": wav_header(len(JUNK), channels=30_000) + JUNK,
    "an ID3 tag over junk": b"ID3\x04\0\0\0\0\0\x0aTSSE" + bytes(6) + JUNK,
    "an Ogg page over junk": b"OggS\0\2" + bytes(20) + b"\1\x13OpusHead\1\1" + JUNK,
    "a FLAC mark over junk": b"fLaC\0\0\0\x22" + JUNK,
    "an MP4 without its index": b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42" + b"\0\0\xea\x68mdat" + JUNK,
    "a WebM header over junk": b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\xf7\x81\1B\xf2\x81\4B\xf3\x81\x08"
    b"B\x82\x84webmB\x87\x81\4B\x85\x81\2" + JUNK,
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_good_beginning_over_junk_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(UNREADABLE[name])
    with pytest.raises((NotAudio, Unreadable, NoAudio)) as refused:
        probe(path)
    assert refused.value.detail


def test_a_codec_that_is_not_supported_is_named_as_the_reason(
    tmp_path: Path,
) -> None:
    path = tmp_path / "upload"
    path.write_bytes(wav_header(len(JUNK), codec=0x7777) + JUNK)
    with pytest.raises(NotSupported) as refused:
        probe(path)
    assert refused.value.code == "recording.not_supported"


@pytest.mark.parametrize(("name", "codec"), [("speech.rm", "ac3"), ("speech.voc", "pcm_u8")])
def test_a_recording_of_a_kind_that_is_not_supported_is_refused_as_that(
    name: str, codec: str, tmp_path: Path
) -> None:
    kind = files.Kind(name, "", name.rpartition(".")[2], codec, 44_100, bit_rate=64_000)
    with pytest.raises(NotSupported):
        probe(files.write(kind, tmp_path / name, files.speech(2)))


@pytest.mark.parametrize(
    "brand",
    [b"M4A ", b"M4B ", b"mp42", b"isom", b"dash", b"qt  ", b"3gp4", b"3g2a", b"f4v ", b"zzzz"],
)
def test_the_brand_of_an_mp4_says_what_it_is_and_not_whether_it_is_one(
    brand: bytes, made: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "upload"
    data = made["memo.m4a"].read_bytes()
    path.write_bytes(data[:8] + brand + data[12:])
    special = {b"qt  ": "audio/quicktime", b"3gp4": "audio/3gpp", b"3g2a": "audio/3gpp2"}
    assert probe(path).media_type == special.get(brand, "audio/mp4")


def test_a_recording_over_the_limit_is_refused(made: dict[str, Path]) -> None:
    assert probe(made["memo.m4a"], max_ms=13_000).duration_ms <= 13_000
    with pytest.raises(TooLong) as refused:
        probe(made["memo.m4a"], max_ms=10_000)
    assert refused.value.code == "recording.too_long"


def test_a_long_stream_of_a_browser_is_refused_by_its_last_time(made: dict[str, Path]) -> None:
    with pytest.raises(TooLong):
        probe(made["browser.webm"], max_ms=10_000)


@pytest.mark.parametrize(
    "name", ["plain.wav", "tagged.mp3", "bare.mp3", "opus.ogg", "browser.webm", "plain.flac"]
)
def test_a_recording_that_breaks_off_is_accepted(
    name: str, made: dict[str, Path], tmp_path: Path
) -> None:
    data = made[name].read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: len(data) // 2])
    assert probe(path).media_type == files.BY_NAME[name].media_type
    played = sum(len(block) for block in decode.stream(path)) / decode.SAMPLE_RATE
    assert played == pytest.approx(files.SECONDS / 2, rel=0.25)


def test_a_wav_that_breaks_off_is_not_as_long_as_it_says(
    made: dict[str, Path], tmp_path: Path
) -> None:
    data = made["plain.wav"].read_bytes()
    path = tmp_path / "short.wav"
    path.write_bytes(data[: len(data) // 2])
    assert probe(path).duration_ms == pytest.approx(files.SECONDS * 500, abs=20)


def test_an_m4a_without_its_end_is_refused(made: dict[str, Path], tmp_path: Path) -> None:
    data = made["memo.m4a"].read_bytes()
    path = tmp_path / "short.m4a"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(Unreadable):
        probe(path)


def test_a_name_is_never_taken_for_an_address(tmp_path: Path) -> None:
    """FFmpeg reads "concat:a|b" and "http:..." as places to fetch from; here they name files."""
    with pytest.raises(FileNotFoundError):
        probe("concat:" + str(recordings.JFK))
    path = tmp_path / "concat:x.flac"
    path.write_bytes(recordings.JFK.read_bytes())
    assert probe(path).codec == "flac"


@pytest.mark.parametrize("kind", files.KINDS, ids=lambda kind: kind.name)
def test_damaged_files_are_played_or_refused_and_nothing_else(
    kind: files.Kind, made: dict[str, Path], tmp_path: Path
) -> None:
    whole = made[kind.name].read_bytes()[:60_000]
    dice = random.Random(kind.name)
    path = tmp_path / kind.name
    for _ in range(8):
        path.write_bytes(damaged(whole, dice))
        with contextlib.suppress(errors.Invalid):
            assert probe(path).duration_ms >= 0
            blocks = decode.stream(path, start_ms=3000, end_ms=6000)
            assert sum(len(block) for block in blocks) <= 3 * decode.SAMPLE_RATE


def damaged(whole: bytes, dice: random.Random) -> bytes:
    """The file with bytes changed (most of them in its header), maybe a piece lost or doubled."""
    data = bytearray(whole[: dice.randrange(len(whole) // 2, len(whole) + 1)])
    for _ in range(dice.randrange(1, 30)):
        data[min(int(dice.expovariate(1 / 300)), len(data) - 1)] = dice.randrange(256)
    for _ in range(dice.randrange(20)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    start, length = dice.randrange(len(data)), dice.randrange(3000)
    piece = data[start : start + length]
    return bytes(data[:start] + piece * dice.randrange(3) + data[start + length :])


def mp4_with_a_cover(path: Path, cover_bytes: int) -> Path:
    """An MP4 that is nothing but a cover, mostly a hole in the file."""
    handler = b"\0\0\0\x21hdlr" + bytes(8) + b"mdirappl" + bytes(9)
    head = struct.pack(">II", 13, 0)  # a JPEG
    for name, before in (
        (b"data", b""),
        (b"covr", b""),
        (b"ilst", b""),
        (b"meta", bytes(4) + handler),
        (b"udta", b""),
        (b"moov", b""),
    ):
        content = before + head
        head = struct.pack(">I", 8 + len(content) + cover_bytes) + name + content
    with path.open("wb") as file:
        file.write(b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42" + head + b"\xff\xd8\xff")
        file.truncate(24 + len(head) + cover_bytes)
    return path


def test_a_huge_cover_is_not_read_into_memory(tmp_path: Path) -> None:
    path = mp4_with_a_cover(tmp_path / "cover.m4a", 300 * 1024**2)
    tracemalloc.start()
    try:
        with pytest.raises((NoAudio, Unreadable)):
            probe(path)
        assert tracemalloc.get_traced_memory()[1] < 10 * 1024**2
    finally:
        tracemalloc.stop()
