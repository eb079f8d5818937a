"""Workers that are stopped and killed half way: no word is lost, and hardly any work."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.jobs.models import AttemptOutcome, Job, JobAttempt, JobStep
from meetings.media import decode
from meetings.media.model_files import find_model
from meetings.transcription import engine
from meetings.transcription.assemble import assemble
from meetings.transcription.whisper import load_transcriber
from meetings.transcription.window_text import WindowText
from tests.meetings.media import files
from tests.meetings.recordings import MEETING
from tests.meetings.work import job_of, text_of, upload, wait_for
from tests.processes import House, house, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as started:
        started.start("relay")
        yield started


def kept_windows() -> int:
    return JobStep.objects.filter(job__parent__isnull=False).count()


def is_transcribing() -> bool:
    """Whether somebody is at a window that nobody has finished."""
    held = Job.objects.filter(parent__isnull=False, lease_until__isnull=False)
    return held.filter(steps__isnull=True).exists()


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    """Three parts of a real meeting with long silences between them.

    Each becomes a window of its own, and costs a sixth of what a minute full of words does.
    """
    silence = np.zeros(52 * decode.SAMPLE_RATE, np.float32)
    one, two, three = (
        np.concatenate(list(decode.stream(MEETING, start_ms=start, end_ms=start + 10_000)))
        for start in (0, 60_000, 120_000)
    )
    samples = np.concatenate([one, silence, two, silence, three])
    return files.write(files.BY_NAME["opus.ogg"], tmp_path / "sparse.ogg", samples)


def undisturbed(path: Path) -> tuple[str, int]:
    """The text of the recording made in this process, and how many windows that took."""
    plan = engine.plan_recording(path)
    texts: list[WindowText] = []
    engine.transcribe_windows(
        path, plan.windows, transcriber=load_transcriber(find_model()), on_window=texts.append
    )
    return assemble(texts).text, len(texts)


def test_a_worker_stopped_and_another_killed_cost_one_window_and_no_word(
    installation: House, sparse: Path
) -> None:
    stopping = installation.start("speech", "-c", "1")
    recording = upload(sparse)
    wait_until(
        lambda: kept_windows() >= 1 and is_transcribing(), "one window is kept, the next begun"
    )
    stopping.send_signal(signal.SIGTERM)
    assert stopping.wait(timeout=60) == 0
    assert not job_of(recording).has_ended
    assert not Job.objects.filter(lease_until__isnull=False).exists()
    assert JobAttempt.objects.filter(outcome=AttemptOutcome.RELEASED).count() == 1
    assert not JobAttempt.objects.filter(outcome=AttemptOutcome.LOST).exists()

    doomed = installation.start("speech", "-c", "1")
    wait_until(is_transcribing, "another worker is at it")
    installation.kill(doomed)
    assert not job_of(recording).has_ended

    installation.start("speech", "-c", "1")
    expected, windows = undisturbed(sparse)
    assert windows == 3
    wait_for(recording, installation)
    assert text_of(recording) == expected
    assert installation.said().count("window.transcribed") <= windows + 1
    attempts = Job.objects.filter(parent__isnull=False).values_list("attempts", flat=True)
    assert sorted(attempts) == [1, 1, 2], "the killed attempt counts, the one handed back does not"
    assert JobAttempt.objects.filter(outcome=AttemptOutcome.LOST).count() == 1
