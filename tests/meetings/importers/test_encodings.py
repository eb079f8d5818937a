"""Files that are not UTF-8."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetings.importers.transcripts import read_transcript
from meetings.importers.values import NotATranscript

FILES = Path(__file__).resolve().parents[2] / "data" / "transcripts"
TEXT = "Björn: Der Termin wird verschoben – auf März.\n"  # noqa: RUF001


@pytest.mark.parametrize(
    ("file", "encoding"), [("05-utf-16.srt", "UTF-16"), ("05-windows-1252.srt", "Windows-1252")]
)
def test_files_of_windows_are_read_and_their_encoding_named(file: str, encoding: str) -> None:
    found = read_transcript((FILES / file).read_bytes())
    (segment,) = found.segments
    assert (segment.speaker, segment.text) == ("Björn", TEXT[7:].strip())
    assert [note.to_json() for note in found.notes] == [
        {"code": "encoding_recognised", "details": {"encoding": encoding}}
    ]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-16", "utf-32", "utf-8-sig"])
def test_unicode_is_read_in_every_form(codec: str) -> None:
    (segment,) = read_transcript(TEXT.encode(codec)).segments
    assert segment.text == TEXT[7:].strip()


def test_an_announced_encoding_is_used_where_the_bytes_are_not_unicode() -> None:
    data = "Анна: Добрый день.\n".encode("windows-1251")
    (segment,) = read_transcript(data, charset="windows-1251").segments
    assert segment.speaker == "Анна"
    with pytest.raises(NotATranscript, match="encoding of the file is not known"):
        read_transcript(data)
    (segment,) = read_transcript(TEXT.encode(), charset="windows-1252").segments
    assert segment.speaker == "Björn"


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\0\0\0\r", b"%PDF-1.7\n\xe2\xe3\xcf\xd3"])
def test_other_files_are_no_text(data: bytes) -> None:
    with pytest.raises(NotATranscript, match=r"not text|encoding"):
        read_transcript(data)
