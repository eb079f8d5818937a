"""The type of a file is told from its bytes."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from meetings.media.sniff import HEAD_BYTES, NotAudio, sniff
from tests.bench import recordings
from tests.meetings.media import files


@pytest.mark.parametrize("kind", files.KINDS, ids=lambda kind: kind.name)
def test_each_kind_is_recognized(kind: files.Kind, made: dict[str, Path]) -> None:
    assert sniff(made[kind.name].read_bytes()[:HEAD_BYTES]) == kind.media_type


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("jfk.flac", "audio/flac"),
        ("en_then_de_60s.mp3", "audio/mpeg"),
        ("0870.wav", "audio/wav"),
        ("meeting_2spk_170s.ogg", "audio/ogg"),
    ],
)
def test_recordings_of_others_are_recognized(name: str, media_type: str) -> None:
    assert sniff((recordings.AUDIO / name).read_bytes()[:HEAD_BYTES]) == media_type


def test_an_mp3_cut_out_of_a_stream_is_recognized(made: dict[str, Path]) -> None:
    data = made["bare.mp3"].read_bytes()
    for start in (1, 100, 1001, 4567):
        assert sniff(data[start : start + HEAD_BYTES]) == "audio/mpeg"


@pytest.mark.parametrize("brand", [b"M4A ", b"M4B ", b"mp42", b"isom", b"iso6", b"dash", b"M4V "])
def test_the_brands_of_mp4_are_recognized(brand: bytes) -> None:
    head = b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0isommp42" + bytes(200)
    assert sniff(head) == "audio/mp4"


NOT_RECORDINGS = {
    "nothing": b"",
    "text": b"To be, or not to be, that is the question.\n",
    "html": b"<!doctype html><html><body>Hello</body></html>",
    "json": b'{"audio": "none"}',
    "an HLS playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n",
    "a concat script": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "a PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
    "a PNG": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0",
    "a ZIP": b"PK\x03\x04\x14\0\0\0\x08\0" + bytes(40),
    "a Windows program": b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0"
    + bytes(48)
    + b"PE\0\0"
    + bytes(99),
    "a WebP picture": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(40),
    "an AVI film": b"RIFF\x24\0\0\0AVI LIST" + bytes(40),
    "RIFF over zeros": b"RIFF\x24\0\0\0" + bytes(500),
    "zeros": bytes(4000),
    "an AIFF": b"FORM\0\0\x10\0AIFFCOMM\0\0\0\x12\0\1" + bytes(60),
    "a HEIC picture": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
    "Matroska": b"\x1aE\xdf\xa3\xa3B\x86\x81\1B\xf7\x81\1B\xf2\x81\4B\xf3\x81\x08B\x82\x88matroska"
    + bytes(100),
}


@pytest.mark.parametrize("name", NOT_RECORDINGS)
def test_other_files_are_refused(name: str) -> None:
    with pytest.raises(NotAudio) as refused:
        sniff(NOT_RECORDINGS[name])
    assert refused.value.code == "recording.not_audio"
    assert refused.value.detail


def test_the_program_that_runs_this_test_is_refused() -> None:
    with open(sys.executable, "rb") as program, pytest.raises(NotAudio):
        sniff(program.read(HEAD_BYTES))


def test_random_bytes_are_no_mp3() -> None:
    dice = random.Random(7)
    for _ in range(100):
        with pytest.raises(NotAudio):
            sniff(b"\0\0" + dice.randbytes(HEAD_BYTES - 2))


def test_libmagic_comes_with_the_wheel_where_there_is_one() -> None:
    pytest.importorskip("pylibmagic")
    code = "from meetings.media import sniff; import magic; print(magic.libmagic._name)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "pylibmagic" in found.stdout
