"""What a recording lacks, and what of it was not listened to, is said on its transcript."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.jobs.models import JobStatus
from tests import make
from tests.meetings.recordings import FOLDER, JFK
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


@pytest.mark.slow
def test_a_transcript_names_the_tracks_that_were_left_out(storage: Path) -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    sent = send_bytes(client, meeting, (FOLDER / "first_track_silent.mp4").read_bytes())
    assert sent.json()["recording"]["media_type"] == "audio/mp4"
    run_jobs()
    page = client.get(f"/api/v1/meetings/{meeting.id}/transcript/").json()
    (note,) = page["transcript"]["notes"]
    assert (note["code"], note["details"]) == ("tracks_without_speech", {"tracks": [1]})
    words = " ".join(segment["text"] for segment in page["segments"]["results"])
    assert "fellow Americans" in words
