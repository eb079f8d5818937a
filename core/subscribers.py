"""What core does when something has happened."""

from __future__ import annotations

from core.events.models import Event
from core.events.registry import subscribe
from core.jobs.models import Job
from core.notifications import services as notifications
from core.notifications.kinds import declare

JOB_FAILED = declare("job.failed", meaning="Something you asked for could not be done.")


@subscribe("job.failed")
@subscribe("job.dead")
def tell_who_asked(event: Event) -> None:
    """The person who asked for a job hears that it will not be done."""
    job = Job.objects.filter(id=event.data["job_id"]).first()
    if job is None or event.actor_id is None or event.organization_id is None:
        return
    if job.kind == notifications.EMAIL_KIND:
        return  # a letter about a letter would end where the first one did
    notifications.notify(
        kind=JOB_FAILED,
        organization_id=event.organization_id,
        user_id=event.actor_id,
        dedup_key=str(event.id),
        subject_id=job.id,
        values={"job": job},
    )
