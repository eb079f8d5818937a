"""A meeting is deleted, or moved to a team, while a worker writes about it: nobody deadlocks."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from core import errors
from core.accounts.actor import Actor
from core.jobs import transitions
from core.jobs.failures import LeaseLost
from core.jobs.models import Job, JobStep
from core.jobs.run import Run
from meetings.models import Meeting, Transcript
from meetings.services import meetings as meeting_services
from meetings.services import transcription
from meetings.transcription.assemble import assemble
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)


class Clash:
    """A worker that has claimed a recording's job, and somebody who changes the meeting."""

    def __init__(self) -> None:
        self.actor: Actor = make.actor()
        self.meeting: Meeting = make.meeting(organization=self.actor.organization)
        self.recording = make.recording(meeting=self.meeting)
        assert self.recording.job is not None
        job = transitions.claim(self.recording.job.id, owner="test")
        assert job is not None
        self.run = Run(job)
        self.errors: list[Exception] = []

    def at_once(self, *works: Callable[[], object]) -> None:
        together = threading.Barrier(len(works))

        def do(work: Callable[[], object]) -> None:
            together.wait()
            try:
                work()
            except Exception as error:  # noqa: BLE001 - looked at below
                self.errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=do, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)

    def write(self) -> None:
        with transaction.atomic():
            meeting_services.lock_meeting(self.recording.meeting)
            transcription._write(self.run, self.recording, assemble([]), missing_ms=0)

    def keep_steps(self) -> None:
        for number in range(20):
            self.run.keep_step(f"step {number}", number)

    def delete(self) -> None:
        meeting_services.delete_meeting(actor=self.actor, meeting=self.meeting)

    def move(self) -> None:
        team = make.team(organization=self.actor.organization)
        meeting_services.update_meeting(actor=self.actor, meeting=self.meeting, team=team)

    def unexpected(self) -> list[Exception]:
        """Errors other than the worker's learning that its meeting or job is gone."""
        gone = (LeaseLost, errors.NotFound)
        return [error for error in self.errors if not isinstance(error, gone)]


def about_recordings() -> bool:
    """Whether any job but the removal of the files is left."""
    return bool(Job.objects.exclude(kind="core.delete_files").exists())


@pytest.mark.parametrize("_round", range(5))
def test_deleting_while_the_transcript_is_written(_round: int) -> None:
    clash = Clash()
    clash.at_once(clash.write, clash.delete)
    assert clash.unexpected() == []
    assert not any(model.objects.exists() for model in (Meeting, Transcript))
    assert not about_recordings()


@pytest.mark.parametrize("_round", range(5))
def test_deleting_while_windows_are_kept(_round: int) -> None:
    clash = Clash()
    clash.at_once(clash.keep_steps, clash.delete)
    assert clash.unexpected() == []
    assert not any(model.objects.exists() for model in (Meeting, JobStep))
    assert not about_recordings()


@pytest.mark.parametrize("_round", range(5))
def test_moving_to_a_team_while_the_transcript_is_written(_round: int) -> None:
    clash = Clash()
    clash.at_once(clash.write, clash.move)
    assert clash.errors == []
    job, meeting = Job.objects.get(id=clash.run.id), Meeting.objects.get()
    assert (job.status, job.team_id) == ("succeeded", meeting.team_id)
    assert meeting.team_id is not None
