"""The main job on real workers: a recording becomes its transcript, whatever happens to them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import srt
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command

from core.jobs.models import JobStatus
from exports.queries import minutes_of
from exports.renderers import formats
from exports.renderers.options import Options
from tests import make
from tests.meetings.recordings import JFK
from tests.meetings.work import job_of, text_of, upload, wait_for
from tests.processes import House, house, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None
) -> Iterator[House]:
    """A relay and a speech worker, of one process, that all tests of this file share."""
    with house(tmp_path_factory.mktemp("house")) as started:
        started.start("relay")
        started.start("speech", "-c", "1")
        yield started


def words(text: str) -> list[str]:
    return "".join(c for c in text.lower() if c.isalpha() or c.isspace()).split()


def test_an_uploaded_recording_becomes_its_transcript(installation: House) -> None:
    recording = upload(JFK)
    wait_for(recording, installation)
    assert words(text_of(recording)) == words(JFK.with_suffix(".txt").read_text())
    job = job_of(recording)
    assert (job.progress, job.attempts, job.error_code) == (1.0, 1, "")


def test_captions_of_a_recording_are_those_of_the_command_line(
    installation: House, tmp_path: Path
) -> None:
    recording = upload(JFK)
    wait_for(recording, installation)
    meeting = minutes_of(recording.meeting, with_words=True)
    out = io.StringIO()
    call_command("transcribe", str(JFK), "--out", "srt", stdout=out)

    formats.render(formats.SINGLE["srt"], meeting, Options(), tmp_path / "jfk.srt")

    assert (tmp_path / "jfk.srt").read_text("utf-8") == out.getvalue()
    starts = {start for segment in meeting.segments for start, _, _ in segment.words}
    assert {int(cue.start.total_seconds() * 1000) for cue in srt.parse(out.getvalue())} <= starts


def test_the_same_bytes_elsewhere_are_not_transcribed_twice(installation: House) -> None:
    actor = make.actor()
    first = upload(JFK, actor)
    wait_for(first, installation)
    before = installation.said().count("window.transcribed")
    again = upload(JFK, actor)
    wait_for(again, installation)
    assert text_of(again) == text_of(first)
    assert installation.said().count("window.transcribed") == before


def test_a_recording_that_cannot_be_transcribed_stays_and_can_be_tried_again(
    installation: House,
) -> None:
    actor = make.actor()
    recording = upload(JFK, actor, spoil=True)
    wait_until(lambda: job_of(recording).has_ended, "the job has ended")
    job = job_of(recording)
    assert job.status == JobStatus.FAILED
    assert job.error_message.endswith(".")

    Path(default_storage.path(recording.stored_file.key)).write_bytes(JFK.read_bytes())
    answer = make.client(actor).post(f"/api/v1/recordings/{recording.id}/retry/")
    assert answer.status_code == 202
    recording.refresh_from_db()
    assert recording.job_id != job.id
    wait_for(recording, installation)
    again = make.client(actor).post(f"/api/v1/recordings/{recording.id}/retry/")
    assert (again.status_code, again.json()["code"]) == (409, "recording.already_transcribed")


def test_redis_may_forget_everything(installation: House) -> None:
    recording = upload(JFK)
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.flushdb()
    wait_for(recording, installation)
