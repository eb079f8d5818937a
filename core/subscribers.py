"""What core does when something has happened."""

from __future__ import annotations

import uuid

from django.urls import reverse

from core.accounts.actor import actor_of
from core.accounts.models import Invitation
from core.events.models import Event
from core.events.registry import subscribe
from core.http.address import public_url
from core.jobs import services as jobs
from core.jobs import subjects
from core.jobs.models import Job
from core.notifications import services as notifications
from core.notifications.kinds import register_notification
from core.notifications.services import INVITATION_KIND

JOB_FAILED = register_notification(
    "job.failed", description="Something you asked for could not be done."
)


@subscribe("job.failed")
@subscribe("job.dead")
def tell_who_asked(event: Event) -> None:
    """The person who asked for a job hears that it will not be done."""
    job = Job.objects.filter(id=event.data["job_id"]).first()
    if job is None or event.actor_id is None or event.organization_id is None:
        return
    if job.kind == notifications.EMAIL_KIND:
        return  # a letter about a letter would end where the first one did
    # Asked for now: the meeting may have gone to another team since the person asked for the work.
    actor = actor_of(user_id=event.actor_id, organization_id=event.organization_id)
    notifications.notify(
        kind=JOB_FAILED,
        organization_id=event.organization_id,
        user_id=event.actor_id,
        dedup_key=str(event.id),
        subject_id=job.id,
        values={
            "job": job,
            "work": subjects.work_of(job, actor),
            "page": public_url(reverse("job", args=[job.id])),
        },
    )


@subscribe("invitation.created")
def send_invitation(event: Event) -> None:
    """The invited address gets its link by mail; an invitation withdrawn meanwhile sends none."""
    invitation_id = event.data["invitation_id"]
    if Invitation.objects.filter(id=invitation_id, accepted_at=None).exists():
        jobs.enqueue(
            kind=INVITATION_KIND,
            origin=jobs.Origin(event.organization_id, None, event.actor_id),
            arguments={"invitation_id": invitation_id},
            subject_id=uuid.UUID(invitation_id),
            dedup_key=invitation_id,
        )
