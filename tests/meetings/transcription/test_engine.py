"""From a file to its text, with the real model on real recordings."""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from meetings.media import decode, model_files, probe
from meetings.transcription import engine, whisper
from meetings.transcription.assemble import assemble
from meetings.transcription.window_text import WindowText
from meetings.transcription.windows import LONGEST_WINDOW_MS, Plan, Window
from tests.bench import recordings
from tests.meetings.media import files

pytestmark = pytest.mark.slow


class Listener:
    """Keeps what it is given to transcribe."""

    model = model_files.find_model()

    def __init__(self) -> None:
        self.heard: list[tuple[Window, decode.Samples]] = []

    def transcribe_window(
        self, samples: decode.Samples, window: Window, language: str | None = None
    ) -> WindowText:
        self.heard.append((window, samples))
        return WindowText(window.start_ms, window.end_ms, language or "en", None, (), 0, 0, 0)


def texts_of(path: Path, plan: Plan, transcriber: whisper.WhisperTranscriber) -> list[WindowText]:
    texts: list[WindowText] = []
    engine.transcribe_windows(path, plan.windows, transcriber=transcriber, on_window=texts.append)
    return texts


def in_a_process_of_its_own(path: Path, windows: list[Window]) -> list[dict[str, object]]:
    transcriber = whisper.load_transcriber(model_files.find_model())
    texts: list[WindowText] = []
    engine.transcribe_windows(path, windows, transcriber=transcriber, on_window=texts.append)
    return [text.to_json() for text in texts]


def test_a_short_speech_is_transcribed_without_an_error(
    transcriber: whisper.WhisperTranscriber,
) -> None:
    plan = engine.plan_recording(recordings.JFK)
    found = assemble(texts_of(recordings.JFK, plan, transcriber))
    assert recordings.wer(recordings.said_in(recordings.JFK), found.text) == 0
    assert found.language == "en"
    assert found.language_probability is None
    assert found.confidence is not None
    assert found.confidence > 0.8
    assert found.uncovered_speech_ms == 0


def test_a_meeting_is_transcribed_well_enough(
    meeting_texts: list[WindowText], utterances: list[dict[str, Any]]
) -> None:
    # Two minutes here; `./mb bench transcription` takes whole meetings.
    found = assemble(meeting_texts)
    said = " ".join(utterance["text"] for utterance in utterances)
    assert recordings.wer(said, found.text) <= 17
    assert found.uncovered_speech_ms < 3000


def test_the_plan_of_a_meeting_covers_it(meeting_plan: Plan) -> None:
    assert meeting_plan.duration_ms == pytest.approx(169_890, abs=50)
    assert 0.7 < meeting_plan.speech_ms / meeting_plan.duration_ms < 1
    assert (meeting_plan.damaged_packets, meeting_plan.lost_ms) == (0, 0)
    assert len(meeting_plan.windows) == 3
    assert all(w.end_ms - w.start_ms <= LONGEST_WINDOW_MS for w in meeting_plan.windows)
    assert not any(window.from_start for window in meeting_plan.windows)


def test_words_have_times_within_the_speech_of_their_window(
    meeting_plan: Plan, meeting_texts: list[WindowText]
) -> None:
    for window, text in zip(meeting_plan.windows[:2], meeting_texts, strict=True):
        for segment in text.segments:
            starts = [word.start_ms for word in segment.words]
            assert starts == sorted(starts)
            for word in segment.words:
                assert 0 <= word.probability <= 1
                assert any(a <= word.start_ms <= word.end_ms <= b for a, b in window.speech)


def test_words_are_where_they_are_spoken(
    meeting_texts: list[WindowText], utterances: list[dict[str, Any]]
) -> None:
    """Each utterance's long words are looked for between the utterance's start and end."""
    words = [w for text in meeting_texts for segment in text.segments for w in segment.words]
    found = 0
    for utterance in utterances:
        start, end = utterance["start"] * 1000 - 500, utterance["end"] * 1000 + 500
        near = {w.text.strip(" .,?!").lower() for w in words if start <= w.start_ms <= end}
        found += bool(near & {word for word in utterance["text"].split() if len(word) > 4})
    assert found >= 0.9 * len(utterances)


def test_a_window_has_the_same_text_in_another_process(
    meeting_texts: list[WindowText], transcriber: whisper.WhisperTranscriber
) -> None:
    """Here the transcriber has heard a meeting before, there it has heard nothing."""
    plan = engine.plan_recording(recordings.JFK)
    here = [text.to_json() for text in texts_of(recordings.JFK, plan, transcriber)]
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        work = pool.submit(in_a_process_of_its_own, recordings.JFK, list(plan.windows))
        assert work.result() == here
    assert meeting_texts


def test_a_text_survives_being_stored(meeting_texts: list[WindowText]) -> None:
    for text in meeting_texts:
        assert WindowText.from_json(json.loads(json.dumps(text.to_json()))) == text


def test_a_recording_without_speech_has_no_windows(
    tmp_path: Path, transcriber: whisper.WhisperTranscriber
) -> None:
    path = files.write(files.BY_NAME["plain.wav"], tmp_path / "silence.wav", files.speech(5) * 0)
    plan = engine.plan_recording(path)
    assert plan.windows == ()
    assert plan.duration_ms == 5000
    found = assemble(texts_of(path, plan, transcriber))
    assert (found.text, found.language, found.confidence) == ("", "", None)


def test_speech_that_gets_no_words_is_reported(
    tmp_path: Path, transcriber: whisper.WhisperTranscriber
) -> None:
    """A plan that takes silence for speech: it is listened to twice and then owned up to."""
    path = files.write(files.BY_NAME["plain.wav"], tmp_path / "silence.wav", files.speech(8) * 0)
    wrong = Window(0, 8000, ((1000, 7000),))
    (text,) = texts_of(path, Plan((wrong,), 8000, 6000), transcriber)
    assert text.segments == ()
    assert text.uncovered_speech_ms == 6000
    assert text.repaired == 0


def test_progress_is_told_about_every_minute(planned_meeting: tuple[Plan, list[int]]) -> None:
    assert planned_meeting[1] == [60_000, 120_000]


def test_what_progress_raises_stops_the_work() -> None:
    class Cancelled(Exception):
        pass

    def cancel(_decoded_ms: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        engine.plan_recording(recordings.TWO_SPEAKERS, on_progress=cancel)


def test_a_recording_that_turns_out_too_long_is_refused() -> None:
    with pytest.raises(probe.TooLong):
        engine.plan_recording(recordings.TWO_SPEAKERS, max_ms=30_000)


def test_a_recording_that_breaks_off_is_planned_as_far_as_it_goes(
    tmp_path: Path,
) -> None:
    path = files.write(files.BY_NAME["opus.webm"], tmp_path / "short.webm", files.speech())
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    plan = engine.plan_recording(path)
    assert plan.windows
    assert plan.duration_ms < 0.7 * files.SECONDS * 1000
    assert plan.lost_ms == pytest.approx(files.SECONDS * 1000 - plan.duration_ms, abs=100)


def test_windows_of_joined_files_are_decoded_from_the_start(tmp_path: Path) -> None:
    path = files.write(files.BY_NAME["opus.ogg"], tmp_path / "joined.ogg", files.speech())
    path.write_bytes(path.read_bytes() * 2)
    plan = engine.plan_recording(path)
    assert plan.duration_ms == pytest.approx(2000 * files.SECONDS, abs=50)
    assert all(window.from_start for window in plan.windows)


def test_windows_of_joined_files_hold_what_the_whole_recording_has_there(tmp_path: Path) -> None:
    path = files.write(files.BY_NAME["opus.ogg"], tmp_path / "joined.ogg", files.speech())
    path.write_bytes(path.read_bytes() * 3)
    whole = np.concatenate(list(decode.stream(path)))
    times = [(25_000, 30_000), (1000, 14_000), (13_000, 15_000), (33_000, 90_000)]
    windows = [Window(start, end, ((start, end),), from_start=True) for start, end in times]
    listener = Listener()
    engine.transcribe_windows(path, windows, transcriber=listener, on_window=lambda _: None)
    assert [window for window, _ in listener.heard] == sorted(windows, key=lambda w: w.start_ms)
    for window, samples in listener.heard:
        assert np.array_equal(samples, whole[window.start_ms * 16 : window.end_ms * 16])


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (3, [1] * 3), (17, [2] * 8 + [1]), (42, [5] * 8 + [2])]
)
def test_batches_keep_neighbours_together_and_are_fine_for_short_recordings(
    count: int, sizes: list[int]
) -> None:
    windows = tuple(Window(at, at + 1, ((at, at + 1),)) for at in range(count))
    groups = engine.batches(Plan(windows, count, count))
    assert [len(group) for group in groups] == sizes
    assert tuple(window for group in groups for window in group) == windows
