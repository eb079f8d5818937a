"""What exports do when something has happened."""

from __future__ import annotations

import contextlib

from core import errors
from core.events.models import Event
from core.events.registry import subscribe
from core.jobs.models import Job
from core.notifications import services as notifications
from core.notifications.kinds import register_notification
from exports import queries
from exports.models import Export
from exports.services import exports as export_services
from meetings.models import Meeting

READY = register_notification("export.completed", description="A file that you asked for is ready.")


@subscribe("job.failed")
@subscribe("job.dead")
def say_why_it_failed(event: Event) -> None:
    """An export whose job will not be done has failed."""
    if event.data["kind"] == export_services.KIND:
        job = Job.objects.filter(id=event.data["job_id"]).first()
        if job is not None:
            export_services.mark_failed(job=job)


@subscribe("export.completed")
def tell_who_asked(event: Event) -> None:
    """The person who asked for a file hears that it is there."""
    rows = queries.whole(Export.objects.filter(meeting__isnull=False))
    export = rows.filter(id=event.data["export_id"]).first()
    if export is None or event.actor_id is None or event.organization_id is None:
        return
    if not queries.is_seen_by(export, event.actor_id):
        return  # the letter would name a meeting that went to another team meanwhile
    notifications.notify(
        kind=READY,
        organization_id=event.organization_id,
        user_id=event.actor_id,
        dedup_key=str(event.id),
        subject_id=export.id,
        values={"export": export},
    )


@subscribe("meeting.deleted")
def forget_its_files(event: Event) -> None:
    """No file outlives its meeting."""
    if event.organization_id is not None:
        export_services.forget_deleted_meetings(organization_id=event.organization_id)


@subscribe("recording.deleted")
def delete_files_with_its_words(event: Event) -> None:
    """Files made before a recording was deleted hold its words."""
    export_services.delete_older(
        meeting_id=event.data["meeting_id"], revision=event.data["revision"]
    )


@subscribe("meeting.updated")
def follow_into_its_team(event: Event) -> None:
    """A meeting may have gone to another team; jobs about its exports go with it."""
    meeting = Meeting.objects.filter(id=event.data["meeting_id"]).first()
    if meeting is not None:
        with contextlib.suppress(errors.NotFound):  # deleted since
            export_services.follow_meeting(meeting=meeting)
