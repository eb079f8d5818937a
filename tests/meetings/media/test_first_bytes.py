"""What cannot be a recording is refused by its first bytes, and nothing else is."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from meetings.media.probe import NoAudio, NotSupported, Unreadable, probe
from meetings.media.sniff import HEAD_BYTES, NotAudio, check_head, tag_bytes
from tests.meetings.media import files


@pytest.mark.parametrize("kind", files.KINDS, ids=lambda kind: kind.name)
def test_recordings_are_let_through(kind: files.Kind, made: dict[str, Path]) -> None:
    check_head(made[kind.name].read_bytes()[:HEAD_BYTES])


def test_an_mp3_cut_out_of_a_stream_is_let_through(made: dict[str, Path], tmp_path: Path) -> None:
    data = made["bare.mp3"].read_bytes()
    path = tmp_path / "cut.mp3"
    for start in (1, 100, 1001, 4567):
        check_head(data[start : start + HEAD_BYTES])
        path.write_bytes(data[start:])
        assert probe(path).media_type == "audio/mpeg"


NOT_RECORDINGS = {
    "text": b"To be, or not to be, that is the question.\n",
    "html": b"<!doctype html><html><body>Hello</body></html>",
    "json": b'{"audio": "none"}',
    "an HLS playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n",
    "a DASH manifest": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
    "a concat script": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "a session description": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=audio 5004 RTP/AVP 0\n",
    "subtitles": b"1\n00:00:01,000 --> 00:00:02,000\nHello.\n",
    "a PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
    "a PNG": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0",
    "a ZIP": b"PK\x03\x04\x14\0\0\0\x08\0" + bytes(40),
    "a Windows program": b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0"
    + bytes(48)
    + b"PE\0\0"
    + bytes(99),
    "a WebP picture": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(40),
    "a HEIC picture": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
}


@pytest.mark.parametrize("name", NOT_RECORDINGS)
def test_other_files_are_refused_at_once_and_when_they_are_opened(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(NotAudio) as refused:
        check_head(NOT_RECORDINGS[name])
    assert refused.value.code == "recording.not_audio"
    path = tmp_path / "upload"
    path.write_bytes(NOT_RECORDINGS[name])
    with pytest.raises(NotAudio):
        probe(path)
    # Nor is a tag before it a way around.
    path.write_bytes(tag(3000) + NOT_RECORDINGS[name])
    with pytest.raises((NotAudio, NotSupported, Unreadable, NoAudio)):
        probe(path)


def test_the_program_that_runs_this_test_is_refused() -> None:
    with open(sys.executable, "rb") as program, pytest.raises(NotAudio):
        check_head(program.read(HEAD_BYTES))


@pytest.mark.parametrize("content", [bytes(4000), b"RIFF\x24\0\0\0" + bytes(500)])
def test_zeros_are_no_recording(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "zeros"
    path.write_bytes(content)
    with pytest.raises(NotAudio):
        probe(path)


def tag(length: int) -> bytes:
    """An ID3v2.3 tag with a picture of so many bytes."""
    frame = b"APIC" + (length - 10).to_bytes(4) + b"\0\0" + bytes(length - 10)
    size = bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + frame


def test_tags_of_any_size_are_measured() -> None:
    assert tag_bytes(io.BytesIO(b"\xff\xfb\x90\0" + bytes(100))) == 0
    assert tag_bytes(io.BytesIO(tag(300) + tag(70_000) + b"\xff\xfb")) == 300 + 70_000 + 20
    # A size of eight bits per byte is none.
    assert tag_bytes(io.BytesIO(b"ID3\x03\0\0\x80\0\0\0" + bytes(100))) == 0


@pytest.mark.parametrize("length", [9_000, 3_000_000])
def test_an_mp3_with_a_large_cover_is_a_recording(
    length: int, made: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "cover.mp3"
    path.write_bytes(tag(length) + made["bare.mp3"].read_bytes())
    facts, plain = probe(path), probe(made["bare.mp3"])
    assert (facts.media_type, facts.codec) == ("audio/mpeg", "mp3")
    assert facts.sample_rate == plain.sample_rate


def test_libmagic_comes_with_the_wheel_where_there_is_one() -> None:
    pytest.importorskip("pylibmagic")
    code = "from meetings.media import sniff; import magic; print(magic.libmagic._name)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "pylibmagic" in found.stdout
