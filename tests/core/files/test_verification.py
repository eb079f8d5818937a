"""Files that were lost or damaged in storage are found, named with their rows, and replaced."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command

from core.files import services as files
from core.files.incoming import Incoming
from core.files.models import FileProblem, StoredFile
from core.jobs.services import HOUSEKEEPING, enqueue
from tests import make
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db
BODY = b"as it was accepted"


def test_missing_and_damaged_files_are_named_with_their_rows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    meeting = make.meeting()
    sound, lost, cut, changed = (
        make.recording(meeting=meeting, content=BODY + str(number).encode()) for number in range(4)
    )
    default_storage.delete(lost.stored_file.key)
    Path(default_storage.path(cut.stored_file.key)).write_bytes(BODY)
    Path(default_storage.path(changed.stored_file.key)).write_bytes(BODY + b"9")

    with pytest.raises(SystemExit) as ended:
        call_command("verify_storage")

    assert ended.value.code == 1
    assert capsys.readouterr().out.splitlines() == [
        f"missing {lost.stored_file.key}: meetings.Recording {lost.id}",
        f"damaged {cut.stored_file.key}: meetings.Recording {cut.id}",
        f"damaged {changed.stored_file.key}: meetings.Recording {changed.id}",
        "4 files verified, 3 missing or damaged.",
    ]
    sound.stored_file.refresh_from_db()
    assert (sound.stored_file.problem, sound.stored_file.verified_at is None) == ("", False)


def test_a_damaged_file_is_found_by_the_hourly_job_and_replaced_by_the_next_upload(
    tmp_path: Path,
) -> None:
    stored = make.stored_file(organization=make.organization(), content=BODY)
    Path(default_storage.path(stored.key)).write_bytes(BODY[:-1] + b"D")
    enqueue(kind="core.verify_files", origin=HOUSEKEEPING, arguments={})
    run_jobs()
    assert StoredFile.objects.get().problem == FileProblem.DAMAGED

    source = tmp_path / "again"
    source.write_bytes(BODY)
    upload = Incoming(source, hashlib.sha256(BODY).hexdigest(), len(BODY))
    with files.placing(upload, organization_id=stored.organization_id, media_type="x/y"):
        pass

    call_command("verify_storage", all=True)
    assert StoredFile.objects.get().problem == ""
