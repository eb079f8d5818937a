"""Captions of a meeting follow its options and keep every word."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import srt
import webvtt
from rest_framework.test import APIClient

from exports.renderers.captions import captions
from exports.renderers.options import Options
from meetings.text.captions import cells
from tests import make
from tests.exports.reading import made
from tests.exports.sample import LANGUAGES, minutes
from tests.run_jobs import run_jobs

INTERJECTION = Path(__file__).parents[1] / "data" / "captions" / "interjection.json"


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("with_words", [True, False], ids=["words", "segments"])
def test_all_words_are_shown_in_short_rows_one_after_the_other(
    language: str, with_words: bool
) -> None:
    meeting = minutes(language, with_words=with_words)

    found = captions(meeting, Options())

    said = "".join(segment.text for segment in meeting.segments)
    assert squeezed("".join(row.text for caption in found for row in caption.rows)) == squeezed(
        said
    )
    for caption in found:
        assert len(caption.rows) <= 2
        assert all(cells(row.text.strip()) <= 42 for row in caption.rows)
        assert 833 <= caption.end_ms - caption.start_ms <= 7000
    for one, following in pairwise(found):
        assert one.end_ms <= following.start_ms


def test_a_caption_begins_with_the_word_that_the_product_stored() -> None:
    meeting = minutes(with_words=True)
    segment = meeting.segments[0]
    late = tuple((start + 1000, end + 1000, text) for start, end, text in segment.words)

    (first, *_) = captions(replace(meeting, segments=(replace(segment, words=late),)), Options())

    assert first.start_ms == 1000


def test_rows_and_durations_follow_the_options() -> None:
    narrow = Options(
        maximum_characters_per_row=20, maximum_rows_per_caption=1, maximum_duration=2.0
    )

    found = captions(minutes(), narrow)

    assert all(len(caption.rows) == 1 for caption in found)
    assert all(cells(row.text.strip()) <= 20 for caption in found for row in caption.rows)
    assert all(833 <= caption.end_ms - caption.start_ms <= 2000 for caption in found)


def test_a_speaker_is_a_voice_or_stands_before_the_words(tmp_path: Path) -> None:
    assert "<v Anna Berg>We" in made("vtt", minutes(), tmp_path).read_text("utf-8")
    assert "Anna Berg: We" in made("srt", minutes(), tmp_path).read_text("utf-8")
    silent = Options(speakers=False)
    assert "Anna" not in made("vtt", minutes(), tmp_path, silent).read_text("utf-8")
    assert "Anna" not in made("srt", minutes(), tmp_path, silent).read_text("utf-8")


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_an_interjection_is_named_and_so_is_the_speaker_who_goes_on(kind: str) -> None:
    who = make.actor()
    client, meeting = make.client(who), make.meeting(organization=who.organization)
    transcript = json.loads(INTERJECTION.read_text("utf-8"))
    client.post(f"/api/v1/meetings/{meeting.id}/transcript/", transcript)

    found = READERS[kind](exported(client, meeting.id, kind))

    assert [speaker for speaker, _, _ in found][:3] == ["Anna", "Ben", "Anna"]
    for _speaker, text, seconds in found:
        assert seconds >= 0.833
        assert len(text) / seconds < 17
    assert squeezed("".join(text for _, text, _ in found)).count("Yes.") == 1


def exported(client: APIClient, meeting_id: Any, kind: str) -> str:
    body = {"meeting": str(meeting_id), "format": kind}
    export_id = client.post("/api/v1/exports/", body).json()["export"]["id"]
    run_jobs()
    url = client.get(f"/api/v1/exports/{export_id}/").json()["download_url"]
    return b"".join(APIClient().get(url).streaming_content).decode()  # type: ignore[attr-defined]


def read_srt(text: str) -> list[tuple[str, str, float]]:
    """Speaker, words and seconds of each caption."""
    found = []
    for cue in srt.parse(text):
        speaker, _, words = cue.content.rpartition(": ")
        found.append((speaker, words, (cue.end - cue.start).total_seconds()))
    return found


def read_vtt(text: str) -> list[tuple[str, str, float]]:
    cues = webvtt.from_string(text).captions
    return [(cue.voice or "", cue.text, _seconds(cue.end) - _seconds(cue.start)) for cue in cues]


def _seconds(clock: str) -> float:
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


READERS = {"srt": read_srt, "vtt": read_vtt}
