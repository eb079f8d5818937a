"""The main job through the door: uploads answered, words right, workers shared, memory flat, kills.

Everything runs as in production: the web server, the relay and speech workers as processes of their
own, uploads over HTTP, transcripts read back page by page. Two hours and a half of sound are
transcribed and more, so this takes a quarter of an hour on two cores. `BENCH_WHOLE=1` makes the
long recording three hours instead of one. The bare engine is faster-whisper called on the same file
with the same weights in 8 bits, beam search of 5, its own voice filter and no word times, in one
process. The speeds are the best of three rounds in which all take turns.
"""

from __future__ import annotations

import http.client
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from django.core.files.storage import default_storage

from config.demo import Client
from core.accounts import services as account_services
from core.accounts.models import User
from core.jobs.models import Job, JobStep
from meetings.media import model_files
from meetings.models import Meeting
from tests.bench import recordings
from tests.bench.harness import Compare, Goal, fastest
from tests.processes import House, house, wait_until

PORT = 8998
UPLOADS = 9
QUARTER_HOUR = 900
LONG = 10_800 if os.environ.get("BENCH_WHOLE") else 3600
PATIENCE_SECONDS = 3600.0


def measure() -> list[Goal]:
    """The goals of the main job."""
    client = Client(PORT, _new_key())
    with _running("web", "relay") as started:
        wait_until(lambda: _answers(client), "the web process answers")
        goals = [_upload_goal(client)]
        with _speech(started, processes=1):
            goals += _accuracy(client)
        goals += _speed(started, client)
        goals += _memory(started, client)
        return [*goals, *_kill_goals(started, client)]


def _speed(started: House, client: Client) -> list[Goal]:
    """The same quarter of an hour by one worker process, by two, and by the bare engine."""
    took = fastest(
        {
            "one": lambda: _worker_seconds(started, client, processes=1),
            "two": lambda: _worker_seconds(started, client, processes=2),
            "bare": _bare_seconds,
        }
    )
    gain = took["one"] / took["two"]
    return [
        Goal("pipeline / bare faster-whisper", 1.25, took["one"] / took["bare"]),
        Goal("two workers / one, 15 minutes", 1.4, gain, "x", Compare.AT_LEAST),
    ]


def _worker_seconds(started: House, client: Client, *, processes: int) -> float:
    with _speech(started, processes=processes):
        _warm(client)
        return _job_seconds(client, _sound(QUARTER_HOUR))[0]


def _memory(started: House, client: Client) -> list[Goal]:
    """What a process holds after a quarter of an hour, and how much more after hours."""
    with _speech(started, processes=2) as workers:
        _warm(client)
        _job_seconds(client, _sound(QUARTER_HOUR))
        short = _peak_megabytes(workers)
        _job_seconds(client, _sound(LONG))
        long = _peak_megabytes(workers)
    return [
        Goal("peak memory of a worker, 15 minutes", 600, short, "MB"),
        Goal(f"the same after {LONG // 3600} h, less that", 50, long - short, "MB"),
    ]


def _new_key() -> str:
    owner = User.objects.create_user("bench@example.org")
    organization = account_services.create_organization(name="Bench", owner=owner)
    made = account_services.create_api_key(
        user=owner, organization=organization, name="bench", scopes=["*"]
    )
    return made.text


@contextmanager
def _running(*names: str) -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="minutebook-bench-"))
    with house(folder, port=PORT, JOB_LEASE_SECONDS="6", RELAY_PERIOD_SECONDS="1") as started:
        for name in names:
            started.start(name)
        yield started


@contextmanager
def _speech(started: House, *, processes: int) -> Iterator[psutil.Process]:
    """A speech worker with so many processes, stopped as a deployment stops it."""
    worker = started.start("speech", "-c", str(processes))
    try:
        yield psutil.Process(worker.pid)
    finally:
        worker.terminate()
        worker.wait()


def _answers(client: Client) -> bool:
    try:
        return client.ask("GET", "/api/health/ready")[0] == http.client.OK
    except Exception:  # noqa: BLE001 - not yet, for whatever reason
        return False


def _sound(seconds: int) -> Path:
    return recordings.repeated(recordings.FOUR_SPEAKERS, seconds)


def _upload_goal(client: Client) -> Goal:
    """From the last byte of the body to the first of the answer, for recordings of five minutes."""
    waits = [_wait_after_last_byte(client, _sound(300 + number)) for number in range(UPLOADS)]
    Meeting.objects.all().delete()
    Job.objects.all().delete()
    return Goal("upload answered, median", 200, 1000 * statistics.median(waits), "ms")


def _wait_after_last_byte(client: Client, path: Path) -> float:
    meeting = client.create_meeting("upload")
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    connection.putrequest("POST", f"/api/v1/meetings/{meeting}/recordings/")
    connection.putheader("Authorization", f"Bearer {client.key}")
    connection.putheader("Content-Type", "audio/ogg")
    connection.putheader("Content-Length", str(path.stat().st_size))
    connection.endheaders(path.read_bytes())
    started = time.perf_counter()
    answer = connection.getresponse()
    waited = time.perf_counter() - started
    if answer.status != http.client.ACCEPTED:
        raise RuntimeError(answer.read().decode())
    connection.close()
    return waited


def _warm(client: Client) -> None:
    """Let every process of the worker load its model."""
    _job_seconds(client, recordings.JFK)
    _job_seconds(client, recordings.FOUR_SPEAKERS)


def _accuracy(client: Client) -> list[Goal]:
    goals = []
    for path, limit in (
        (recordings.JFK, 0),
        (recordings.TWO_SPEAKERS, 17),
        (recordings.FOUR_SPEAKERS, 17),
    ):
        _, text = _job_seconds(client, path)
        errors = recordings.wer(recordings.said_in(path), text)
        goals.append(Goal(f"word errors, {path.stem}", limit, errors, "%"))
    return goals


def _job_seconds(client: Client, path: Path) -> tuple[float, str]:
    """How long the job ran from its first claim to its end, and the text; nothing is kept."""
    meeting, job = _ask(client, path)
    wait_until(lambda: _end_of(job), "the job has ended", patience=PATIENCE_SECONDS, every=0.3)
    text = _text_of(client, meeting)
    ended = Job.objects.get(id=job)
    assert ended.started_at is not None
    assert ended.ended_at is not None
    _forget(client, meeting)
    return (ended.ended_at - ended.started_at).total_seconds(), text


def _ask(client: Client, path: Path) -> tuple[str, str]:
    meeting = client.create_meeting(path.name)
    return meeting, client.upload(meeting, path)["job"]["id"]


def _end_of(job_id: str) -> bool:
    job = Job.objects.get(id=job_id)
    if job.has_ended and job.status != "succeeded":
        raise RuntimeError(f"{job}: {job.error_code} {job.error_message}")
    return job.has_ended


def _text_of(client: Client, meeting: str) -> str:
    return " ".join(segment["text"] for segment in client.segments(meeting))


def _forget(client: Client, meeting: str) -> None:
    """Delete the meeting with its windows, or the same sound would cost nothing the next time."""
    keys = [r.stored_file.key for r in Meeting.objects.get(id=meeting).recordings.all()]
    client.ask("DELETE", f"/api/v1/meetings/{meeting}/")
    for key in keys:
        default_storage.delete(key)


def _bare_seconds() -> float:
    from faster_whisper import WhisperModel

    path = model_files.find_model().path
    model = WhisperModel(path, device="cpu", compute_type="int8", cpu_threads=1)
    _bare_text(model, recordings.JFK)
    started = time.perf_counter()
    _bare_text(model, _sound(QUARTER_HOUR))
    return time.perf_counter() - started


def _bare_text(model: object, path: Path) -> str:
    segments, _ = model.transcribe(  # type: ignore[attr-defined]
        str(path), language="en", beam_size=5, vad_filter=True, condition_on_previous_text=False
    )
    return " ".join(segment.text for segment in segments)


def _peak_megabytes(worker: psutil.Process) -> float:
    """The most that any process of the worker has held at once (VmHWM), in MB."""
    return max(_high_water(process.pid) for process in worker.children(recursive=True))


def _high_water(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (kilobytes,) = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(kilobytes) / 1024


def _windows_kept(job_id: str) -> int:
    return JobStep.objects.filter(job__parent__id=job_id).count()


def _kill_goals(started: House, client: Client) -> list[Goal]:
    """kill -9 of the whole worker, two processes at work, when half of the windows are done."""
    with _speech(started, processes=2):
        _, expected = _job_seconds(client, _sound(QUARTER_HOUR))
    doomed = started.start("speech", "-c", "2")
    before = started.said().count("window.transcribed")
    meeting, job = _ask(client, _sound(QUARTER_HOUR))
    windows = QUARTER_HOUR // 60 + 1
    wait_until(
        lambda: started.said().count("window.transcribed") - before >= windows // 2,
        "half of the windows are done",
        patience=PATIENCE_SECONDS,
        every=0.3,
    )
    started.kill(doomed)
    kept = _windows_kept(job)
    with _speech(started, processes=2):
        wait_until(lambda: _end_of(job), "the job has ended", patience=PATIENCE_SECONDS, every=0.3)
    after = started.said().count("window.transcribed") - before
    redone = after - _windows_kept(job)
    same = _text_of(client, meeting) == expected
    return [
        Goal(f"windows transcribed twice after kill -9 ({kept} were kept)", 2, redone),
        Goal("the text after kill -9 is the same (1: yes)", 1, int(same), compare=Compare.EQUAL),
    ]
