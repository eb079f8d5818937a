"""Transcript files of every format that people have."""

from __future__ import annotations

import json

import pytest

from meetings.importers.transcripts import ImportedSegment, NotATranscript, read_transcript
from meetings.text.caption_files import subrip, webvtt
from meetings.text.captions import captions
from meetings.text.segments import Segment


def test_lines_of_text_have_speakers_and_times_where_they_give_them() -> None:
    found = read_transcript(
        b"[0:12] Anna Berg: We agreed to ship.\n\nBo: Good.\nAnd soon.\n1:02:03 Bo: Bye.\n"
    )
    assert found.segments == (
        ImportedSegment("We agreed to ship.", "Anna Berg", 12_000),
        ImportedSegment("Good.", "Bo"),
        ImportedSegment("And soon.", "Bo"),
        ImportedSegment("Bye.", "Bo", 3_723_000),
    )


def test_json_is_read_as_transcribe_writes_it_and_as_the_api_takes_it() -> None:
    segments = [{"text": "Hello.", "speaker": "Bo", "start_ms": 0, "end_ms": 900, "words": []}]
    whole = read_transcript(json.dumps({"language": "en", "segments": segments}).encode())
    assert whole.language == "en"
    assert whole.segments == (ImportedSegment("Hello.", "Bo", 0, 900),)
    assert read_transcript(json.dumps(segments).encode()).segments == whole.segments
    assert read_transcript(json.dumps({"turns": segments}).encode()).segments == whole.segments


@pytest.mark.parametrize(("write", "named"), [(subrip, True), (webvtt, False)])
def test_captions_come_back_as_they_were_written(write: object, named: bool) -> None:
    said = [Segment("R&D is here.", "Ann", 0, 1500), Segment("Bye.", "Bo", 1500, 2500)]
    found = read_transcript(write(captions(said, named=named)).encode())  # type: ignore[operator]
    assert found.segments == (
        ImportedSegment("R&D is here.", "Ann", 0, 1500),
        ImportedSegment("Bye.", "Bo", 1500, 2500),
    )


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_text() -> None:
    found = read_transcript(b"\xef\xbb\xbfBo: Hello.\r\nAnn: Hi.\r\n")
    assert [segment.text for segment in found.segments] == ["Hello.", "Hi."]


def test_a_colon_in_a_sentence_names_nobody() -> None:
    long = "What I wanted to tell all of you here before we go home is the following one"
    (segment,) = read_transcript(f"{long}: it works.".encode()).segments
    assert segment.speaker == ""


@pytest.mark.parametrize("data", [b"", b"\n \n", b"[]", b'{"segments": []}', b"WEBVTT\n"])
def test_a_file_without_words_has_no_segments(data: bytes) -> None:
    assert read_transcript(data).segments == ()


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00",
        b"a\0b",
        b"{",
        b'{"title": "no segments"}',
        b'[{"text": 7}]',
        b'["text"]',
        b'[{"text": "a", "start_ms": "soon"}]',
        b'[{"text": "a", "start_ms": true}]',
        b'{"segments":' + b"[" * 100_000,
        b"a" * (20 * 1024**2 + 1),
    ],
    ids=range(10),
)
def test_anything_else_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(NotATranscript) as refused:
        read_transcript(data)
    assert refused.value.detail.endswith(".")


@pytest.mark.parametrize(
    "data",
    [
        rb'[{"text": "half a smile \ud83d"}]',
        rb'[{"text": "a", "speaker": "Bo \udc00"}]',
        rb'{"language": "\ud800", "segments": []}',
        rb'[{"text": "a\u0000b"}]',
    ],
    ids=["text", "speaker", "language", "zero"],
)
def test_characters_that_nobody_can_write_are_refused(data: bytes) -> None:
    with pytest.raises(NotATranscript, match="characters that are no text"):
        read_transcript(data)


def test_a_whole_character_in_two_halves_is_text() -> None:
    (segment,) = read_transcript(rb'[{"text": "\ud83d\ude42"}]').segments
    assert segment.text == "🙂"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'[{"text": "a", "start_ms": -5}]', "between 0 and 24 days"),
        (b'[{"text": "a", "start_ms": 0, "end_ms": -1}]', "between 0 and 24 days"),
        (b'[{"text": "a", "start_ms": 2147483648}]', "between 0 and 24 days"),
        (b'[{"text": "a", "start_ms": 9, "end_ms": 8}]', "ends before it starts"),
        (b"WEBVTT\n\n00:09.000 --> 00:08.000\nBo: a\n", "ends before it starts"),
        (b"1\n00:00:09,000 --> 00:00:08,000\nBo: a\n", "ends before it starts"),
    ],
    ids=["negative", "negative end", "too late", "backwards", "WebVTT", "SubRip"],
)
def test_times_that_cannot_be_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(NotATranscript, match=reason):
        read_transcript(data)


def test_a_segment_may_end_as_it_starts() -> None:
    (segment,) = read_transcript(b'[{"text": "a", "start_ms": 8, "end_ms": 8}]').segments
    assert (segment.start_ms, segment.end_ms) == (8, 8)
