"""JSON of Minutebook and of the programs around Whisper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from exports.renderers import json_document
from exports.renderers.minutes import Section
from exports.renderers.options import Options
from meetings.importers.transcripts import read_transcript
from meetings.importers.values import ImportedSegment, ImportedTranscript, NotATranscript
from tests.exports import sample

FILES = Path(__file__).resolve().parents[2] / "data" / "transcripts"


def read(document: Any) -> ImportedTranscript:
    return read_transcript(json.dumps(document).encode())


def words(segment: ImportedSegment) -> list[tuple[int, int, str]]:
    return [(word.start_ms, word.end_ms, word.text) for word in segment.words]


def test_the_shape_of_the_api_is_read_as_an_object_and_as_a_list() -> None:
    segments = [{"text": "Hello.", "speaker": "Bo", "start_ms": 0, "end_ms": 900, "words": []}]
    whole = read({"language": "en", "segments": segments})
    assert whole.language == "en"
    assert whole.segments == (ImportedSegment("Hello.", "Bo", 0, 900),)
    assert read(segments).segments == read({"turns": segments}).segments == whole.segments


def test_whisper_writes_seconds() -> None:
    found = read_transcript((FILES / "08-whisper.json").read_bytes())
    assert [(s.start_ms, s.end_ms, s.text) for s in found.segments] == [
        (1_220, 7_980, "We agreed to move the launch to May."),
        (8_500, 10_250, "I will tell the customers by Friday."),
    ]
    assert found.language == "en"


def test_times_of_words_that_are_not_those_of_the_text_are_left_out_and_named() -> None:
    found = read_transcript((FILES / "08-whisperx.json").read_bytes())
    (segment,) = found.segments
    assert (segment.speaker, segment.start_ms, segment.words) == ("SPEAKER_00", 572, ())
    assert [note.code for note in found.notes] == ["word_times_left_out"]


def test_words_of_several_speakers_in_one_segment_of_whisperx_are_parted() -> None:
    spoken = [("Who", 0.0, 0.3, "A"), ("asks?", 0.3, 0.8, "A"), ("I", 1.0, 1.1, "B")]
    said = [{"word": w, "start": s, "end": e, "speaker": who} for w, s, e, who in spoken]
    said.append({"word": "2014.", "speaker": "B"})  # numbers get no times
    found = read(
        {"segments": [{"start": 0, "end": 2.5, "text": " Who asks? I 2014.", "words": said}]}
    )
    assert [(s.speaker, s.text, s.start_ms, s.end_ms) for s in found.segments] == [
        ("A", "Who asks?", 0, 800),
        ("B", "I 2014.", 1_000, 2_500),
    ]
    assert words(found.segments[1]) == [(1_000, 1_100, "I"), (1_100, 2_500, " 2014.")]


def test_openai_lists_words_without_punctuation_beside_the_segments() -> None:
    found = read(
        {
            "task": "transcribe",
            "language": "english",
            "duration": 3.2,
            "text": "Hello, all. Bye.",
            "segments": [
                {"id": 0, "start": 0.0, "end": 2.0, "text": " Hello, all."},
                {"id": 1, "start": 2.0, "end": 3.2, "text": " Bye."},
            ],
            "words": [
                {"word": "Hello", "start": 0.1, "end": 0.5},
                {"word": "all", "start": 0.6, "end": 1.0},
                {"word": "Bye", "start": 2.1, "end": 2.5},
            ],
        }
    )
    assert found.language == "en"
    assert words(found.segments[0]) == [(100, 500, "Hello,"), (600, 1_000, " all.")]
    assert words(found.segments[1]) == [(2_100, 2_500, "Bye.")]


def test_whisper_cpp_writes_offsets_and_parts_of_words() -> None:
    tokens = [("[_BEG_]", 0, 0), (" We", 0, 500), (" agre", 500, 900), ("ed.", 900, 2_000)]
    segment = {
        "timestamps": {"from": "00:00:00,000", "to": "00:00:02,000"},
        "offsets": {"from": 0, "to": 2_000},
        "text": " We agreed.",
        "tokens": [
            {"text": text, "offsets": {"from": start, "to": end}, "id": 1, "p": 0.9}
            for text, start, end in tokens
        ],
    }
    found = read({"result": {"language": "en"}, "transcription": [segment]})
    (read_segment,) = found.segments
    assert (read_segment.start_ms, read_segment.end_ms, found.language) == (0, 2_000, "en")
    assert words(read_segment) == [(0, 500, "We"), (500, 2_000, " agreed.")]


def test_transformers_may_leave_out_the_last_end() -> None:
    chunks = [
        {"timestamp": [0.0, 1.0], "text": " Hi."},
        {"timestamp": [1.0, None], "text": " Bye."},
    ]
    found = read({"text": " Hi. Bye.", "chunks": chunks})
    assert [(s.start_ms, s.end_ms) for s in found.segments] == [(0, 1_000), (1_000, None)]


def test_the_plain_answer_of_openai_has_no_segments() -> None:
    assert [s.text for s in read({"text": "Hello all."}).segments] == ["Hello all."]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"segments": [{"text": "a", "colour": 1}]}, "segments.0.colour"),
        ({"segments": [{"start": 0, "text": "a", "start_ms": 1}]}, "segments.0.start_ms"),
        ({"segments": [], "engine": "mine"}, "engine"),
        ({"text": "a", "segments": [], "emotion": "joy"}, "emotion"),
        (
            {"segments": [{"start": 0, "end": 1, "text": "a", "words": [{"word": "a", "x": 1}]}]},
            "segments.0.words.0.x",
        ),
    ],
)
def test_a_field_that_is_not_known_is_never_ignored(document: Any, field: str) -> None:
    with pytest.raises(NotATranscript, match=f"The field {field} is not known") as refused:
        read(document)
    assert refused.value.fields == {field: ["There is no such field."]}


def test_a_segment_that_cannot_be_read_is_skipped_and_named() -> None:
    document = {
        "segments": [{"start": 0, "end": 1, "text": "a"}, {"start": 9, "end": 8, "text": "b"}]
    }
    found = read(document)
    assert [s.text for s in found.segments] == ["a"]
    assert [note.details for note in found.notes] == [{"where": ["segments.1"]}]


def test_one_page_of_a_transcript_is_not_taken_for_all_of_it() -> None:
    page = {"results": [{"text": "a"}], "next": "https://example.org/?cursor=b", "previous": None}
    with pytest.raises(NotATranscript, match="one page"):
        read({"transcript": {}, "segments": page})


def test_a_language_that_is_not_known_is_named() -> None:
    found = read({"language": "Klingon", "segments": [{"text": "a"}]})
    assert found.language == ""
    assert [note.code for note in found.notes] == ["language_not_known"]
    assert read({"language": "pt-BR", "segments": [{"text": "a"}]}).language == "pt"


def test_invalid_json_is_refused_with_its_line() -> None:
    with pytest.raises(NotATranscript, match="Line 3 is not valid JSON"):
        read_transcript(b'{"segments": [\n{"text": "a"},\n{"text" "b"}\n]}')


def test_an_export_can_be_sent_in_again() -> None:
    minutes = sample.minutes()
    options = Options(sections=tuple(Section))
    found = read(orjson.loads(orjson.dumps(json_document.as_json(minutes, options))))
    assert [segment.text for segment in found.segments] == [s.text for s in minutes.segments]
    assert found.segments[0].speaker == minutes.segments[0].speaker
