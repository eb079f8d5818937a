"""Asking for files of meetings, making them, and letting them go."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction

from core import errors
from core.accounts.actor import Actor
from core.db.clock import database_now
from core.events import services as events
from core.files import services as files
from core.files.errors import StorageUnavailable, storage_errors
from core.files.incoming import Incoming, upload_folder
from core.files.models import StoredFile
from core.jobs import services as jobs
from core.jobs.failures import JobFailure
from core.jobs.models import Job, JobStatus
from core.jobs.run import Run
from core.notifications import services as notifications
from exports import queries
from exports.events import EXPORT_COMPLETED, EXPORT_FAILED, EXPORT_REQUESTED
from exports.models import Export, ExportStatus
from exports.renderers import bundle, formats
from exports.renderers.minutes import Minutes
from exports.renderers.notes import Notes
from exports.renderers.options import Options
from exports.renderers.process import TooMuch
from meetings.models import Meeting
from meetings.services import meetings as meeting_services
from meetings.text.captions import NoTimes

KIND = "exports.render_export"
_DRAFTS = "export-"
_STALE_SECONDS = 24 * 3600.0
_BATCH = 200


class NothingToCancel(errors.Conflict):
    """The file is there, or the job that was to make it is gone."""

    code = "export.has_ended"
    message = "This export is not being made any more."


class NoTimesForCaptions(errors.Conflict):
    """Captions of a text that came without times, or of none."""

    code = "export.no_times"
    message = "Captions need a transcript with times, and this meeting has none."


class TooLarge(JobFailure):
    """Another try would take as much time and memory."""

    code = "export.too_large"
    message = (
        "This meeting is too long, or its text too intricate, for a file of this format. "
        "Choose fewer sections, or another format such as html or txt."
    )


@dataclass(frozen=True, slots=True)
class Made:
    """A file in a folder of drafts, which ends with the block that made it."""

    path: Path
    notes: Notes
    left_out: tuple[str, ...] = ()


def request_export(*, actor: Actor, meeting: Meeting, format: str, options: Options) -> Export:  # noqa: A002
    """Ask for a file of a meeting; the job is in `job`.

    While the same file is there, or on its way, that export answers. Raises NotFound when the
    meeting is gone or no longer to be seen, NoTimesForCaptions when nothing else is wanted.
    """
    with transaction.atomic():
        held = meeting_services.lock_meeting(meeting, actor=actor)
        if formats.needs_times(format, options) and not queries.has_times(
            held, recording_id=options.recording_id
        ):
            raise NoTimesForCaptions
        fingerprint = fingerprint_of(held, format, options)
        same = queries.same_file(held, fingerprint)
        if same is not None:
            return same
        export = Export(
            organization_id=held.organization_id,
            meeting=held,
            requested_by=actor.user,
            format=format,
            options=options.as_json(),
            revision=held.revision,
            template_version=formats.TEMPLATE_VERSION,
            fingerprint=fingerprint,
            expires_at=database_now() + timedelta(days=settings.EXPORT_KEEP_DAYS),
        )
        _start(export, held, actor)
    return export


def _start(export: Export, meeting: Meeting, actor: Actor) -> None:
    export.job = jobs.enqueue(
        kind=KIND,
        origin=jobs.Origin(meeting.organization_id, meeting.team_id, actor.user.id),
        arguments={"export_id": str(export.id)},
        subject_id=export.id,
    )
    export.save(force_insert=True)
    events.publish(
        EXPORT_REQUESTED,
        organization_id=export.organization_id,
        data={**_names(export)},
        actor_id=actor.user.id,
    )


def fingerprint_of(meeting: Meeting, format: str, options: Options) -> str:  # noqa: A002
    """The same for files with the same bytes: all that goes into one."""
    whole = {
        "meeting": str(meeting.id),
        "revision": meeting.revision,
        "names": queries.names_in(meeting),
        "format": format,
        "options": options.as_json(),
        "template": formats.TEMPLATE_VERSION,
    }
    return hashlib.sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()


def render_export(*, run: Run, export: Export) -> None:
    """The job: read the meeting, make the file, keep it. Raises NoTimesForCaptions."""
    options = Options.from_json(export.options)
    run.report(0.0, "reading the meeting")
    with transaction.atomic():
        meeting = meeting_services.lock_meeting(queries.meeting_of(export))
        fingerprint = fingerprint_of(meeting, export.format, options)
        minutes = _minutes(meeting, export.format, options)
    _forget_drafts(export.id)
    with made(minutes, export.format, options, run, export.id) as file:
        run.report(0.9, "storing the file")
        _keep(run, export, minutes, file, fingerprint)


def _minutes(meeting: Meeting, format: str, options: Options) -> Minutes:  # noqa: A002
    needs_words = any(kind.is_captions for kind in formats.formats_in(format, options))
    return queries.minutes_of(meeting, recording_id=options.recording_id, with_words=needs_words)


@contextmanager
def made(
    minutes: Minutes,
    format: str,  # noqa: A002
    options: Options,
    run: Run | None = None,
    export_id: UUID | None = None,
) -> Iterator[Made]:
    """A file that lives as long as the block. Raises NoTimesForCaptions or StorageUnavailable.

    A job is stopped between the files of a bundle, and shows which one it is at.
    """
    minutes = formats.cleaned(minutes)
    prefix = f"{_DRAFTS}{export_id or ''}-"
    with (
        storage_errors(),
        tempfile.TemporaryDirectory(dir=upload_folder(), prefix=prefix) as drafts,
    ):
        yield _make(minutes, format, options, Path(drafts), run)


def _make(
    minutes: Minutes,
    format: str,  # noqa: A002
    options: Options,
    drafts: Path,
    run: Run | None,
) -> Made:
    kinds = formats.formats_in(format, options)
    done: list[tuple[str, Path]] = []
    notes, left_out = Notes(), []
    for position, kind in enumerate(kinds):
        if run is not None:
            run.report(0.1 + 0.8 * position / len(kinds), f"rendering {kind.name}")
        target = drafts / kind.name
        try:
            notes = notes.with_those_of(formats.render(kind, minutes, options, target))
        except NoTimes:
            left_out.append(kind.name)
        except TooMuch as error:
            raise TooLarge from error
        else:
            done.append((formats.filename_of(minutes, kind.name), target))
    if not done:
        raise NoTimesForCaptions
    if format != formats.BUNDLE:
        return Made(done[0][1], notes)
    bundle.pack(done, drafts / formats.BUNDLE)
    return Made(drafts / formats.BUNDLE, notes, tuple(left_out))


def _forget_drafts(export_id: UUID) -> None:
    """Remove what a killed worker left of an export: nobody else makes it now."""
    with contextlib.suppress(StorageUnavailable):  # `sweep` removes them later
        for left in upload_folder().glob(f"{_DRAFTS}{export_id}-*"):
            shutil.rmtree(left, ignore_errors=True)


def _keep(run: Run, export: Export, minutes: Minutes, file: Made, fingerprint: str) -> None:
    """Store the bytes first, then let rows, job and event commit together."""
    with file.path.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    incoming = Incoming(file.path, digest, file.path.stat().st_size)
    media_type = formats.MEDIA_TYPES[export.format]
    with (
        files.placing(
            incoming, organization_id=export.organization_id, media_type=media_type
        ) as placed,
        run.finishing(),
    ):
        held = _lock(export)
        held.stored_file = stored = placed.keep()
        held.status = ExportStatus.SUCCEEDED
        held.revision, held.fingerprint = minutes.revision, fingerprint
        held.filename = formats.filename_of(minutes, export.format)
        held.notes = file.notes.as_json()
        if file.left_out:
            held.notes["left_out"] = list(file.left_out)
        if minutes.notes:
            held.notes["transcript"] = [asdict(note) for note in minutes.notes]
        held.error_code = held.error_message = ""
        held.completed_at = database_now()
        held.expires_at = held.completed_at + timedelta(days=settings.EXPORT_KEEP_DAYS)
        held.save()
        _publish_completed(held, stored)


def _lock(export: Export) -> Export:
    """Raises Export.DoesNotExist when it, or its meeting, was deleted while the file was made."""
    rows = Export.objects.select_for_update(no_key=True)
    held: Export = rows.get(id=export.id, meeting__isnull=False)
    return held


def _publish_completed(export: Export, stored: StoredFile) -> None:
    events.publish(
        EXPORT_COMPLETED,
        organization_id=export.organization_id,
        data={
            **_names(export),
            "revision": export.revision,
            "size_bytes": stored.size_bytes,
            "sha256": stored.sha256,
        },
        actor_id=export.requested_by_id,
    )


def _names(export: Export) -> dict[str, str]:
    return {
        "export_id": str(export.id),
        "meeting_id": str(export.meeting_id),
        "format": export.format,
    }


def mark_failed(*, job: Job) -> None:
    """The reaction to a job that will not be done: the export says why.

    One that was queued again meanwhile is left to what it comes to then.
    """
    if job.status not in (JobStatus.FAILED, JobStatus.DEAD):
        return
    with transaction.atomic():
        export = (
            Export.objects.select_for_update(no_key=True)
            .filter(job_id=job.id, stored_file=None, meeting__isnull=False)
            .first()
        )
        if export is None:
            return
        _forget_drafts(export.id)
        export.status = ExportStatus.FAILED
        export.error_code, export.error_message = job.error_code, job.error_message
        export.save(update_fields=["status", "error_code", "error_message", "updated_at"])
        events.publish(
            EXPORT_FAILED,
            organization_id=export.organization_id,
            data={**_names(export), "error_code": job.error_code},
            actor_id=export.requested_by_id,
        )


def cancel_export(*, export: Export) -> Export:
    """Stop making a file. Raises NothingToCancel, or JobHasEnded when it is too late."""
    settled = export.status != ExportStatus.QUEUED
    if export.job is None or (settled and export.job.has_ended):
        raise NothingToCancel
    export.job = jobs.cancel_job(job=export.job)
    return export


def delete_export(*, export: Export) -> None:
    """Delete an export, its job and, with the last export of the same bytes, its file."""
    with transaction.atomic():
        notifications.forget_jobs([export.id])
        held = Export.objects.select_for_update().filter(id=export.id).first()
        if held is not None:
            clear_lease(held)


def expire_export(*, export: Export) -> None:
    """Let go of an export whose time is over. Its job stays: history has a time of its own."""
    with transaction.atomic():
        over = Export.objects.select_for_update().filter(
            id=export.id, expires_at__lte=database_now()
        )
        held = over.first()
        if held is not None:
            clear_lease(held)


def clear_lease(held: Export) -> None:
    """Under its lock: the row goes, what people were told of it, and the last one's file."""
    stored = held.stored_file
    notifications.forget_subjects([held.id])
    held.delete()
    key = files.release(stored) if stored else None
    if key is not None:
        origin = jobs.Origin(organization_id=held.organization_id)
        jobs.enqueue(kind="core.delete_files", origin=origin, arguments={"keys": [key]})


def forget_deleted_meetings(*, organization_id: UUID) -> None:
    """The reaction to a deleted meeting: no file of it stays."""
    for export in queries.of_deleted_meetings(organization_id):
        delete_export(export=export)


def delete_older(*, meeting_id: UUID, revision: int) -> None:
    """Delete the exports of a meeting that were made, or requested, before this revision."""
    for export in Export.objects.filter(meeting_id=meeting_id, revision__lt=revision):
        delete_export(export=export)


def follow_meeting(*, meeting: Meeting) -> None:
    """The reaction to a changed meeting: jobs about its exports belong to its team.

    Raises NotFound when it is gone.
    """
    with transaction.atomic():
        held = meeting_services.lock_meeting(meeting)
        jobs.move_subjects(queries.job_subjects(held.id), team_id=held.team_id)


def sweep() -> int:
    """Let go of exports whose time is over, and of drafts that a killed worker left a day ago."""
    horizon = time.time() - _STALE_SECONDS  # noqa: TID251 - of the machine whose files these are
    for draft in upload_folder().glob(f"{_DRAFTS}*"):
        with contextlib.suppress(FileNotFoundError):  # its job has just cleaned up
            if draft.stat().st_mtime < horizon:
                shutil.rmtree(draft, ignore_errors=True)
    over = list(queries.expired(_BATCH))
    for export in over:
        expire_export(export=export)
    return len(over)
