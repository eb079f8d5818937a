"""Entering, changing and deleting meetings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from core import errors
from core.accounts.actor import Actor
from core.accounts.models import Membership, Team
from core.db.clock import database_now
from core.events import services as events
from core.events.registry import EventType
from core.files import services as files
from core.files.models import StoredFile
from core.jobs import services as jobs
from core.notifications import services as notifications
from meetings.events import MEETING_CREATED, MEETING_DELETED, MEETING_UPDATED
from meetings.models import Analysis, Meeting, MeetingStatus, Participant, Recording
from meetings.services import clock


class TeamNotYours(errors.NotAllowed):
    """Moving a meeting out of one's own sight, or into a team one does not belong to."""

    code = "meeting.team_not_yours"
    message = "You can only give a meeting to a team that you belong to."


class EndsBeforeStart(errors.Invalid):
    """The end and the start, perhaps changed by two people at once, do not fit."""

    code = "meeting.ends_before_start"
    message = "A meeting ends after it starts."


def create_meeting(
    *, actor: Actor, participants: Sequence[Mapping[str, Any]] = (), **values: Any
) -> Meeting:
    """Enter a meeting of the actor's organization. Raises TeamNotYours."""
    _check_team(actor, values.get("team"))
    with transaction.atomic():
        values.setdefault("organizer", actor.user)
        values.setdefault("time_zone", actor.organization.time_zone)
        values.setdefault("status", _status_at(values.get("starts_at")))
        meeting = Meeting.objects.create(organization=actor.organization, **values)
        _create_participants(meeting, participants)
        _publish_change(MEETING_CREATED, meeting, actor)
    return meeting


def update_meeting(
    *,
    actor: Actor,
    meeting: Meeting,
    participants: Sequence[Mapping[str, Any]] | None = None,
    **values: Any,
) -> Meeting:
    """Change some of a meeting's fields and bump its revision; `participants` replaces them all.

    Raises TeamNotYours, EndsBeforeStart and StartsTooFarApart.
    """
    if "team" in values and values["team"] != meeting.team:
        _check_team(actor, values["team"])
    with transaction.atomic():
        held = lock_meeting(meeting, actor=actor)
        if "starts_at" in values and held.status != MeetingStatus.CANCELLED:
            values.setdefault("status", _status_at(values["starts_at"]))
        for name, value in values.items():
            setattr(held, name, value)
        if held.starts_at and held.ends_at and held.ends_at < held.starts_at:
            raise EndsBeforeStart
        held.revision += 1
        held.save()
        if participants is not None:
            held.participants.all().delete()
            _create_participants(held, participants)
        if "starts_at" in values:
            clock.update_offsets(held)
        if "team" in values:
            _move_jobs(held)
        _publish_change(MEETING_UPDATED, held, actor)
    return held


def delete_meeting(*, actor: Actor, meeting: Meeting) -> None:
    """Delete a meeting: its rows, jobs and their kept text now, its files by a job.

    Raises NotFound once it is gone, or is no longer to be seen by the actor.
    """
    with transaction.atomic():
        held = lock_meeting(meeting, actor=actor)
        recordings = list(held.recordings.select_related("stored_file").order_by("stored_file_id"))
        notifications.forget_jobs(_subjects_in(held))
        held.delete()
        release_files([recording.stored_file for recording in recordings], actor)
        events.publish(
            MEETING_DELETED,
            organization_id=held.organization_id,
            data={"meeting_id": str(meeting.id)},
            actor_id=actor.user.id,
        )


def mark_past_held(*, limit: int) -> int:
    """Mark scheduled meetings as held once their time is over; how many there were."""
    with transaction.atomic():
        scheduled = Meeting.objects.filter(status=MeetingStatus.SCHEDULED, starts_at__lte=Now())
        over = scheduled.filter(Q(ends_at=None) | Q(ends_at__lte=Now())).order_by("starts_at")
        meetings = list(over.select_for_update(no_key=True, skip_locked=True)[:limit])
        for meeting in meetings:
            meeting.status = MeetingStatus.HELD
            meeting.revision += 1
            meeting.save(update_fields=["status", "revision", "updated_at"])
            _publish_change(MEETING_UPDATED, meeting)
    return len(meetings)


def touch(meeting: Meeting) -> None:
    """Bump the revision: something that belongs to the meeting has changed."""
    Meeting.objects.filter(id=meeting.id).update(revision=F("revision") + 1, updated_at=Now())


def mark_held(meeting: Meeting) -> None:
    """Bump the revision and, as there are words now, end that the meeting is scheduled."""
    touch(meeting)
    scheduled = Meeting.objects.filter(id=meeting.id, status=MeetingStatus.SCHEDULED)
    scheduled.update(status=MeetingStatus.HELD)


def lock_meeting(meeting: Meeting, *, actor: Actor | None = None) -> Meeting:
    """Hold the meeting's row until the transaction ends: always before jobs, then stored files.

    Raises NotFound once it is gone, or is no longer to be seen by the actor.
    """
    rows = Meeting.objects.all() if actor is None else Meeting.objects.visible_to(actor)
    held: Meeting | None = (
        rows.select_for_update(no_key=True, of=("self",)).filter(id=meeting.id).first()
    )
    if held is None:
        raise errors.NotFound
    return held


def _check_team(actor: Actor, team: Team | None) -> None:
    if team is None or actor.is_admin:
        return
    if not Team.objects.joined_by(actor).filter(id=team.id).exists():
        raise TeamNotYours


def _move_jobs(meeting: Meeting) -> None:
    jobs.move_subjects(_subjects_in(meeting), team_id=meeting.team_id)


def _subjects_in(meeting: Meeting) -> list[UUID]:
    """All that jobs are about in a meeting."""
    recordings = Recording.objects.filter(meeting=meeting).values_list("id", flat=True)
    analyses = Analysis.objects.filter(meeting=meeting).values_list("id", flat=True)
    return [*recordings, *analyses]


def release_files(stored_files: Iterable[StoredFile], actor: Actor) -> None:
    """Take one reference from each file, in the order of ids; unused bytes are deleted by a job."""
    released = [files.release(stored_file) for stored_file in stored_files]
    keys = [key for key in released if key is not None]
    if keys:
        origin = jobs.Origin(actor.organization.id, None, actor.user.id)
        jobs.enqueue(kind="core.delete_files", origin=origin, arguments={"keys": keys})


def _create_participants(meeting: Meeting, participants: Sequence[Mapping[str, Any]]) -> None:
    """Write the participants, each tied to the member who has the address, if there is one."""
    members = Membership.objects.filter(
        organization_id=meeting.organization_id,
        user__email__in=[row["email"] for row in participants if row.get("email")],
    )
    user_ids = dict(members.values_list("user__email", "user_id"))
    Participant.objects.bulk_create(
        Participant(
            organization_id=meeting.organization_id,
            meeting=meeting,
            position=position,
            user_id=user_ids.get(row.get("email", "")),
            **row,
        )
        for position, row in enumerate(participants)
    )


def _status_at(starts_at: datetime | None) -> MeetingStatus:
    """A meeting in the future is scheduled."""
    is_future = starts_at is not None and starts_at > database_now()
    return MeetingStatus.SCHEDULED if is_future else MeetingStatus.HELD


def _publish_change(kind: EventType, meeting: Meeting, actor: Actor | None = None) -> None:
    events.publish(
        kind,
        organization_id=meeting.organization_id,
        data={"meeting_id": str(meeting.id), "revision": meeting.revision},
        actor_id=actor.user.id if actor else None,
    )
