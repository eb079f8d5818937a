"""Transcript files of every format that people have."""

from __future__ import annotations

import pytest

from meetings.importers.transcripts import read_transcript
from meetings.importers.values import ImportedSegment, NotATranscript
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


def _damaged(cues: int, *, of: int) -> bytes:
    """SubRip of four lines a cue; the last ones have no times."""
    whole = "1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n" * (of - cues)
    return (whole + "2\n00:00:zz,000 --> 00:00:02,000\nLost.\n\n" * cues).encode()


@pytest.mark.parametrize(("cues", "of"), [(1, 2), (1, 60), (2, 200)])
def test_up_to_one_percent_unreadable_cues_are_skipped_and_named(cues: int, of: int) -> None:
    found = read_transcript(_damaged(cues, of=of))
    assert {segment.text for segment in found.segments} == {"Hello."}
    first = 4 * (of - cues) + 1
    assert [note.to_json() for note in found.notes] == [
        {
            "code": "cues_skipped",
            "details": {"where": [f"line {first + 4 * n}" for n in range(cues)]},
        }
    ]


@pytest.mark.parametrize(("cues", "of"), [(1, 1), (2, 2), (2, 199), (3, 299)])
def test_more_unreadable_cues_refuse_the_file_with_its_line(cues: int, of: int) -> None:
    with pytest.raises(NotATranscript, match=rf"^Line {4 * (of - cues) + 1} has no times"):
        read_transcript(_damaged(cues, of=of))


@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE html>\n<html><body>\n<p>Hello</p>\n",
        b"start\tend\ttext\n0\t1200\tHello.\n1200\t2000\tBye.\n",
        b"1\n00:00:01,000 -> 00:00:02,000\nHello.\n\n2\n00:00:02,000 -> 00:00:03,000\nBye.\n",
        b"Dear all,\nhere it is.\n1\n00:00:01,000 --> 00:00:02,000\nHello.\n\nPS: thanks\n",
    ],
    ids=["a page", "a table", "arrows of another kind", "a letter around captions"],
)
def test_a_file_of_another_shape_is_refused_with_its_line(data: bytes) -> None:
    with pytest.raises(NotATranscript, match=r"^Line \d"):
        read_transcript(data)


def test_lines_announced_as_captions_are_not_kept_as_speech() -> None:
    with pytest.raises(NotATranscript, match="Line 1"):
        read_transcript(b"Hello.\n", filename="Call.SRT")
    with pytest.raises(NotATranscript, match="Line 1"):
        read_transcript(b"Hello.\n", media_type="text/vtt")
    # The content goes before the name.
    assert read_transcript(b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi.\n", filename="a.srt").segments


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
