"""How long files stay, and with whom they go."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from core.accounts.models import Role
from core.files.incoming import upload_folder
from core.files.models import StoredFile
from core.jobs.models import Job, JobStatus
from core.jobs.services import HOUSEKEEPING, enqueue
from core.notifications.models import Notification
from exports.models import Export
from exports.renderers import plain_text
from meetings.services import meetings as meeting_services
from tests import make
from tests.exports.test_exports_api import ADDRESS, ask
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db


def sweep() -> None:
    enqueue(kind="exports.sweep_exports", origin=HOUSEKEEPING, arguments={})
    run_jobs()


def test_a_file_whose_time_is_over_is_swept_with_its_bytes() -> None:
    meeting = make.meeting()
    over = make.export(meeting=meeting, expires_at=timezone.now() - timedelta(minutes=1))
    kept = make.export(meeting=meeting)
    assert over.stored_file is not None

    sweep()

    assert list(Export.objects.all()) == [kept]
    assert not default_storage.exists(over.stored_file.key)


def test_what_people_were_told_of_a_file_goes_with_it() -> None:
    client = make.client(who := make.actor())
    meeting = make.meeting(organization=who.organization)
    ids = [ask(client, meeting, kind).json()["export"]["id"] for kind in ("txt", "md")]
    run_jobs()
    assert Notification.objects.count() == 2

    client.delete(f"{ADDRESS}{ids[0]}/")
    assert [str(told.subject_id) for told in Notification.objects.all()] == [ids[1]]
    Export.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    sweep()

    assert not Notification.objects.exists()


def test_the_job_of_an_export_whose_time_is_over_stays_for_its_own_time() -> None:
    who = make.actor()
    ask(make.client(who), make.meeting(organization=who.organization))
    run_jobs()
    Export.objects.update(expires_at=timezone.now() - timedelta(minutes=1))

    sweep()

    assert not Export.objects.exists()
    assert Job.objects.filter(kind="exports.render_export").count() == 1


def test_bytes_that_another_export_has_too_stay() -> None:
    who = make.actor()
    client = make.client(who)
    meeting = make.meeting(organization=who.organization)
    ids = [
        ask(client, meeting, "txt", page_size=size).json()["export"]["id"]
        for size in ("a4", "letter")
    ]
    run_jobs()
    stored = StoredFile.objects.get(references=2)

    client.delete(f"{ADDRESS}{ids[0]}/")
    run_jobs()
    assert default_storage.exists(stored.key)
    client.delete(f"{ADDRESS}{ids[1]}/")
    run_jobs()
    assert not default_storage.exists(stored.key)


def test_no_file_outlives_its_meeting() -> None:
    who = make.actor()
    meeting = make.meeting(organization=who.organization)
    export = make.export(meeting=meeting)
    assert export.stored_file is not None

    meeting_services.delete_meeting(actor=who, meeting=meeting)
    assert make.client(who).get(f"{ADDRESS}{export.id}/").status_code == 404
    assert make.client(who).get(ADDRESS).json()["results"] == []
    run_jobs()

    assert not Export.objects.exists()
    assert not default_storage.exists(export.stored_file.key)


def test_a_meeting_that_is_deleted_while_its_file_waits_leaves_nothing() -> None:
    who = make.actor()
    meeting = make.meeting(organization=who.organization)
    ask(make.client(who), meeting)

    meeting_services.delete_meeting(actor=who, meeting=meeting)
    run_jobs()

    assert not Export.objects.exists()
    assert not StoredFile.objects.exists()


def test_an_export_follows_its_meeting_into_a_team() -> None:
    owner = make.actor()
    team = make.team(organization=owner.organization)
    member = make.client(make.actor(organization=owner.organization, role=Role.MEMBER))
    meeting = make.meeting(organization=owner.organization)
    export = make.export(meeting=meeting)
    assert member.get(f"{ADDRESS}{export.id}/").status_code == 200

    meeting_services.update_meeting(actor=owner, meeting=meeting, team=team)
    run_jobs()

    assert member.get(f"{ADDRESS}{export.id}/").status_code == 404
    assert member.get(f"/api/v1/jobs/{export.job_id}/").status_code == 404


def test_a_renderer_that_fails_leaves_no_file_and_a_reason_and_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    who = make.actor()
    client = make.client(who)
    meeting = make.meeting(organization=who.organization)

    def half(_minutes: Any, _options: Any, target: Path) -> None:
        target.write_text("half a fi")
        raise RuntimeError("an odd letter")

    monkeypatch.setattr(plain_text, "render", half)
    failing = ask(client, meeting, "txt").json()["export"]["id"]
    going_on = ask(client, meeting, "md").json()["export"]["id"]
    for _ in range(3):
        Job.objects.filter(status=JobStatus.QUEUED).update(run_at=timezone.now())
        run_jobs()

    failed = client.get(f"{ADDRESS}{failing}/").json()
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "job.unexpected"
    assert failed["download_url"] is None
    assert client.get(f"{ADDRESS}{going_on}/").json()["status"] == "succeeded"
    assert list(upload_folder().glob("export-*")) == []
    assert StoredFile.objects.count() == 1


def test_a_job_without_its_history_has_failed() -> None:
    export = make.export(meeting=make.meeting(), status="queued")
    Job.objects.all().delete()
    export.refresh_from_db()

    assert export.current_status == "failed"


def test_a_file_is_made_on_the_command_line(tmp_path: Path, capsys: Any) -> None:
    meeting = make.meeting(title="Monday")
    make.transcript(recording=make.recording(meeting=meeting))
    target = tmp_path / "monday.pdf"

    call_command("export", str(meeting.id), "--format", "pdf", "--out", str(target))

    assert capsys.readouterr().out.strip() == str(target)
    assert target.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("title", ["👩‍👩‍👧‍👦" * 42, "漢" * 300, "é" * 300])
def test_the_longest_name_fits_a_file_system(
    title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    meeting = make.meeting(title=title, starts_at=timezone.now())

    call_command("export", str(meeting.id), "--format", "docx")

    (made,) = tmp_path.iterdir()
    assert made.name == capsys.readouterr().out.strip()
    assert len(made.name.encode()) <= 255
    assert made.suffix == ".docx"


def test_the_command_line_says_what_it_cannot_do(tmp_path: Path) -> None:
    meeting = make.meeting()
    target = str(tmp_path / "x.srt")

    with pytest.raises(CommandError, match="times"):
        call_command("export", str(meeting.id), "--format", "srt", "--out", target)
    with pytest.raises(CommandError, match="no meeting"):
        call_command("export", "01a20120-ffff-7fff-bfff-ffffffffffff")
    assert list(tmp_path.iterdir()) == []
