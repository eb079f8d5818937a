"""What a recording lost on its way is said, not passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.jobs.models import JobStatus
from tests import make
from tests.meetings.recordings import JFK
from tests.meetings.work import job_of, send_bytes
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("share", "missing_ms"), [(1.0, 0), (0.3, 8_400)])
@pytest.mark.slow
def test_a_transcript_says_how_much_sound_its_file_lacks(
    storage: Path, share: float, missing_ms: int
) -> None:
    """The header of this file promises eleven seconds, whatever became of the rest."""
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    whole = JFK.read_bytes()
    client = make.client(actor)
    sent = send_bytes(client, meeting, whole[: int(len(whole) * share)])
    assert sent.status_code == 202
    run_jobs()
    recording = meeting.recordings.get()
    assert job_of(recording).status == JobStatus.SUCCEEDED
    shown = client.get(f"/api/v1/meetings/{meeting.id}/transcript/").json()["transcript"]
    assert shown["missing_ms"] == pytest.approx(missing_ms, abs=700)
