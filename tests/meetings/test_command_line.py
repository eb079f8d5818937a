"""The work of one machine alone: no web process, no worker, no database."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import webvtt
from django.core.management import CommandError, call_command

from meetings.importers.transcripts import read_transcript
from meetings.management.commands import transcribe
from meetings.media.model_files import find_model
from meetings.transcription.assemble import TranscriptText
from meetings.transcription.window_text import SpokenSegment
from tests.bench import recordings
from tests.meetings.recordings import JFK

ROOT = Path(__file__).resolve().parents[2]
TRANSCRIPTS = ROOT / "tests" / "data" / "transcripts"
NO_SERVERS = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}


def said(*words: object) -> str:
    """What a command writes; a query would fail, as these tests ask for no database."""
    out = io.StringIO()
    call_command(*(str(word) for word in words), stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def jfk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short recording's transcript as JSON."""
    file = tmp_path_factory.mktemp("transcripts") / "jfk.json"
    file.write_text(said("transcribe", JFK, "--out", "json", "--processes", 1))
    return file


@pytest.mark.slow
def test_a_recording_becomes_text_where_no_server_is_named() -> None:
    command = [sys.executable, "manage.py", "transcribe", str(JFK), "--out", "vtt"]
    done = subprocess.run(
        command, cwd=ROOT, env=NO_SERVERS, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    cues = webvtt.from_string(done.stdout).captions
    found = " ".join(cue.text for cue in cues)
    assert recordings.wer(recordings.said_in(JFK), found) == 0


@pytest.mark.slow
def test_what_was_left_out_is_said_beside_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    text = said("transcribe", recordings.AUDIO / "first_track_silent.mp4", "--processes", 1)
    assert "fellow Americans" in text
    assert "Audio tracks without speech were left out: 1." in capsys.readouterr().err


@pytest.mark.slow
def test_the_json_of_a_recording_has_every_word_with_its_time(jfk: Path) -> None:
    whole = json.loads(jfk.read_text())
    assert (whole["language"], whole["engine"]) == ("en", "whisper-tiny.en")
    found = " ".join(segment["text"] for segment in whole["segments"])
    assert recordings.wer(recordings.said_in(JFK), found) == 0
    starts = [word[0] for segment in whole["segments"] for word in segment["words"]]
    assert starts == sorted(starts)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["txt", "srt"])
def test_text_and_subrip_hold_the_same_words(jfk: Path, form: str) -> None:
    text = TranscriptText("en", None, None, tuple(_segments(jfk)), 0, 0, 0)
    read = read_transcript(transcribe.FORMATS[form](text, find_model()).encode())
    found = " ".join(segment.text for segment in read.segments)
    assert recordings.wer(recordings.said_in(JFK), found) == 0
    assert read.segments[0].start_ms is not None


def _segments(file: Path) -> list[SpokenSegment]:
    return [SpokenSegment.from_json(data) for data in json.loads(file.read_text())["segments"]]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("transcribe", "missing.mp3"), "There is no file missing.mp3."),
        (("transcribe", "README.md"), "This is not a recording"),
        (("transcribe", JFK, "--language", "sv"), "does not know the language sv"),
        (("transcribe", JFK, "--processes", "0"), "At least one process"),
    ],
)
def test_what_cannot_be_transcribed_is_refused_in_a_sentence(
    arguments: tuple[object, ...], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        said(*arguments)


MINUTES = """\
[0:00:05] Anna: Welcome, everybody.
[0:00:11] Bo: We agreed to use the new supplier for the Lund office.
[0:00:20] Anna: Action: Bo to send the contract to Legal by Friday.
"""


def test_a_transcript_file_comes_to_items_with_the_words_they_rest_on(tmp_path: Path) -> None:
    file = tmp_path / "minutes.txt"
    file.write_text(MINUTES)
    text = said("analyse", file, "--language", "en", "--held-on", "2026-11-18")
    assert "from 3 of 3 turns" in text
    assert 'Bo: "We agreed to use the new supplier for the Lund office."' in text
    assert "due 2026-11-20" in text

    whole = json.loads(
        said("analyse", file, "--language", "en", "--held-on", "2026-11-18", "--out", "json")
    )
    (item,) = whole["sections"]["action_items"]["items"]
    assert (item["owner_name"], item["due_on"]) == ("Bo", "2026-11-20")
    assert all(quote["verified"] for quote in item["quotes"])
    (decision,) = whole["sections"]["decisions"]["items"]
    assert decision["quotes"][0]["turn_id"] == "2"


@pytest.mark.slow
def test_what_transcribe_writes_can_be_analysed(jfk: Path) -> None:
    text = said("analyse", jfk)
    assert "SUMMARY" in text
    assert "not known" not in text, "the file says that it is English"


def test_an_empty_transcript_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "empty.txt"
    file.touch()
    text = said("analyse", file)
    assert "holds no words" in text
    assert "language" not in text


def test_two_voices_in_a_caption_each_have_their_tasks() -> None:
    text = said("analyse", TRANSCRIPTS / "07-two-voices.vtt", "--held-on", "2026-11-18")
    assert text.count("(Ben Holm, due") == 2
    assert "(Anna Berg" not in text


def test_words_before_a_colon_own_no_task() -> None:
    for file in ("01-colon.vtt", "01-colon.txt"):
        assert "Here is the thing," not in said("analyse", TRANSCRIPTS / file, "--language", "en")


def test_captions_that_scroll_hold_a_decision_once() -> None:
    text = said("analyse", TRANSCRIPTS / "06-rolling.vtt")
    assert "from 3 of 3 turns" in text
    assert text.count("- we agreed") + text.count("- We agreed") == 1


def test_what_a_file_holds_beside_speech_is_said(tmp_path: Path) -> None:
    text = said("analyse", TRANSCRIPTS / "05-windows-1252.srt", "--language", "de")
    assert "(The file was read as Windows-1252.)" in text
    whole = json.loads(said("analyse", TRANSCRIPTS / "05-utf-16.srt", "--out", "json"))
    assert [note["code"] for note in whole["notes"]] == ["encoding_recognised"]


def test_a_file_with_half_a_character_is_refused_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "half.json"
    file.write_text(r'[{"text": "We agreed to buy it \ud800."}]')
    with pytest.raises(CommandError, match="characters that are no text"):
        said("analyse", file)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("analyse", "missing.txt"), "missing.txt cannot be read"),
        (("analyse", JFK), "not text"),
        (("analyse", "README.md", "--held-on", "Friday"), "a day such as"),
    ],
)
def test_what_cannot_be_analysed_is_refused_in_a_sentence(
    arguments: tuple[object, ...], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        said(*arguments)
