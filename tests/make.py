"""Rows for tests: every argument has a sensible default, and only what matters is said."""

from __future__ import annotations

import hashlib
from itertools import count
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from rest_framework.test import APIClient

from core.accounts import services
from core.accounts.actor import Actor
from core.accounts.models import Invitation, Membership, Organization, Role, Team, User
from core.db.clock import database_now
from core.db.rows import new_id
from core.events import services as events
from core.events.models import Event
from core.files.models import PendingFile, StoredFile
from core.http.models import IdempotencyKey
from core.jobs.models import Job
from core.notifications.models import Notification, NotificationPreference
from core.security.models import SecurityEvent
from exports.models import Export, ExportStatus
from meetings.analysis.findings import Section
from meetings.events import MEETING_CREATED
from meetings.models import (
    ActionItem,
    Analysis,
    AnalysisSection,
    AnalysisStatus,
    AnalysisTranscript,
    Decision,
    Evidence,
    Meeting,
    Participant,
    Recording,
    Segment,
    Speaker,
    Summary,
    Topic,
    Transcript,
)
from meetings.services import clock
from webhooks.models import (
    Delivery,
    DeliveryAttempt,
    Endpoint,
    InboundMessage,
    InboundSource,
    Scheme,
)
from webhooks.queries.catalogue import body_of
from webhooks.services.secrets import create_secret

_numbers = count(1)


def user(*, email: str | None = None, password: str | None = None, **fields: Any) -> User:
    return User.objects.create_user(
        email or f"person{next(_numbers)}@example.org", password, **fields
    )


def organization(*, name: str | None = None, **fields: Any) -> Organization:
    """One without members."""
    return Organization.objects.create(name=name or f"Organization {next(_numbers)}", **fields)


def membership(
    *,
    user: User | None = None,
    organization: Organization | None = None,
    role: Role = Role.OWNER,
    teams: tuple[Team, ...] = (),
) -> Membership:
    row = Membership.objects.create(
        user=user or globals()["user"](),
        organization=organization or globals()["organization"](),
        role=role,
    )
    row.teams.set(teams)
    return row


def team(*, organization: Organization | None = None, name: str | None = None) -> Team:
    owner = organization or globals()["organization"]()
    return Team.objects.create(organization=owner, name=name or f"Team {next(_numbers)}")


def actor(
    *,
    organization: Organization | None = None,
    role: Role = Role.OWNER,
    teams: tuple[Team, ...] = (),
    scopes: tuple[str, ...] = ("*",),
) -> Actor:
    """A new member of the organization, asking for it."""
    row = membership(organization=organization, role=role, teams=teams)
    return Actor(row.user, row.organization, Role(row.role), frozenset(scopes))


def invitation(*, organization: Organization | None = None, **fields: Any) -> Invitation:
    """An open invitation of an address that nobody signs in with."""
    fields = {"email": f"invited{next(_numbers)}@example.org", "role": Role.MEMBER, **fields}
    fields.setdefault("expires_at", database_now(plus_seconds=3600))
    owner = organization or globals()["organization"]()
    return Invitation.objects.create(organization=owner, **fields)


def api_key(*, actor: Actor | None = None, **fields: Any) -> str:
    """The text of a new key that acts for the actor."""
    who = actor or globals()["actor"]()
    fields = {"name": "test", "scopes": sorted(who.scopes), **fields}
    return services.create_api_key(user=who.user, organization=who.organization, **fields).text


def client(who: Actor | str | None = None) -> APIClient:
    """A client that sends an API key, given as text or made for the actor; None sends nothing.

    The first request looks the key up; count queries from the second one on.
    """
    caller = APIClient()
    if who is not None:
        text = who if isinstance(who, str) else api_key(actor=who)
        caller.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return caller


def signed_in(who: User) -> APIClient:
    """A client with a session, as a browser has one."""
    caller = APIClient()
    caller.force_login(who)
    return caller


def stored_file(*, organization: Organization, content: bytes | None = None) -> StoredFile:
    """Bytes in storage with the row that counts them; any bytes when none are given."""
    body = content if content is not None else f"bytes {next(_numbers)}".encode()
    key = default_storage.save(f"{organization.id}/{new_id()}", ContentFile(body))
    return StoredFile.objects.create(
        organization=organization,
        key=key,
        sha256=hashlib.sha256(body).hexdigest(),
        size_bytes=len(body),
        media_type="audio/ogg",
    )


def job(
    *,
    organization: Organization,
    kind: str = "core.delete_files",
    team: Team | None = None,
    **fields: Any,
) -> Job:
    return Job.objects.create(
        organization=organization,
        team=team,
        kind=kind,
        queue="default",
        max_attempts=3,
        run_at=database_now(),
        **fields,
    )


def meeting(*, organization: Organization | None = None, **fields: Any) -> Meeting:
    owner = organization or globals()["organization"]()
    numbered = {"title": f"Meeting {next(_numbers)}", "time_zone": owner.time_zone}
    fields = {**numbered, **fields}
    return Meeting.objects.create(organization=owner, **fields)


def participant(*, meeting: Meeting, **fields: Any) -> Participant:
    number = next(_numbers)
    return Participant.objects.create(
        organization=meeting.organization,
        meeting=meeting,
        **{"name": f"Participant {number}", "position": number, **fields},
    )


def recording(
    *, meeting: Meeting, content: bytes | None = None, with_job: bool = True, **fields: Any
) -> Recording:
    """A recording after the others, whose file holds `content`: by default no real audio."""
    row = Recording.objects.create(
        organization=meeting.organization,
        meeting=meeting,
        stored_file=stored_file(organization=meeting.organization, content=content),
        position=clock.next_position(meeting),
        **{
            "media_type": "audio/ogg",
            "codec": "opus",
            "duration_ms": 11_000,
            "channels": 1,
            "sample_rate": 48_000,
            **fields,
        },
    )
    clock.update_offsets(meeting)
    row.refresh_from_db(fields=["offset_ms"])
    if with_job:
        row.job = job(
            organization=meeting.organization,
            kind="meetings.transcribe_recording",
            team=meeting.team,
            subject_id=row.id,
            arguments={"recording_id": str(row.id)},
        )
        row.save()
    return row


def transcript(*, recording: Recording, texts: tuple[str, ...] = ("Hello.", "Bye.")) -> Transcript:
    """A transcript of one segment of a second for each text."""
    row = Transcript.objects.create(
        organization=recording.organization,
        meeting=recording.meeting,
        recording=recording,
        version=recording.transcripts.count() + 1,
        engine="test",
        language="en",
        segment_count=len(texts),
        word_count=sum(len(text.split()) for text in texts),
        speech_ms=1000 * len(texts),
        uncovered_speech_ms=0,
    )
    said_by = Speaker.objects.create(
        organization=row.organization, transcript=row, label=f"Speaker {next(_numbers)}"
    )
    Segment.objects.bulk_create(
        Segment(
            organization=recording.organization,
            transcript=row,
            speaker=said_by,
            position=position,
            start_ms=1000 * position,
            end_ms=1000 * position + 900,
            text=text,
            words=[[1000 * position, 1000 * position + 900, text, 0.9]],
        )
        for position, text in enumerate(texts)
    )
    return row


def analysis(*, transcript: Transcript, **fields: Any) -> Analysis:
    """A settled analysis of a transcript, with an item of each kind on its first segment."""
    meeting, of = transcript.meeting, {"organization": transcript.organization}
    row = Analysis.objects.create(
        **of,
        meeting=meeting,
        **{
            "version": meeting.analyses.count() + 1,
            "engine": "test",
            "language": "en",
            "status": AnalysisStatus.SUCCEEDED,
            **fields,
        },
    )
    AnalysisTranscript.objects.create(analysis=row, transcript=transcript, position=0)
    AnalysisSection.objects.bulk_create(
        AnalysisSection(
            **of,
            analysis=row,
            section=section,
            status=AnalysisStatus.SUCCEEDED,
            turns_used=1,
            turns_total=transcript.segment_count,
        )
        for section in Section
    )
    segment = transcript.segments.get(position=0)
    common = {**of, "meeting": meeting, "analysis": row}
    Summary.objects.create(**common, text="They met.")
    Topic.objects.create(**common, title="Meeting", first_segment=segment, last_segment=segment)
    decision(analysis=row)
    action_item(analysis=row)
    kinds: tuple[Any, ...] = (Summary, Topic, Decision, ActionItem)
    for kind in kinds:
        Evidence.objects.create(
            **of,
            meeting=meeting,
            **{snake(kind): kind.objects.get(analysis=row)},
            segment=segment,
            quote=segment.text,
            verified=True,
        )
    return row


def decision(*, analysis: Analysis, **fields: Any) -> Decision:
    return Decision.objects.create(**_found(analysis, "Blue it is."), **fields)


def action_item(*, analysis: Analysis, **fields: Any) -> ActionItem:
    return ActionItem.objects.create(**_found(analysis, "Paint it blue."), **fields)


def _found(analysis: Analysis, text: str) -> dict[str, Any]:
    owned = {"organization": analysis.organization, "meeting": analysis.meeting}
    return {**owned, "analysis": analysis, "text": text, "found_text": text, "confidence": 0.8}


def snake(kind: type) -> str:
    """The name under which evidence names an item of the kind."""
    return "action_item" if kind is ActionItem else kind.__name__.lower()


def export(*, meeting: Meeting, content: bytes | None = None, **fields: Any) -> Export:
    """A finished export whose file holds `content`."""
    row = Export.objects.create(
        organization=meeting.organization,
        meeting=meeting,
        stored_file=stored_file(organization=meeting.organization, content=content),
        **{
            "format": "txt",
            "revision": meeting.revision,
            "template_version": "1",
            "fingerprint": f"fingerprint {next(_numbers)}",
            "status": ExportStatus.SUCCEEDED,
            "filename": "Monday.txt",
            "completed_at": database_now(),
            "expires_at": database_now(plus_seconds=86_400),
            **fields,
        },
    )
    row.job = job(
        organization=meeting.organization,
        kind="exports.render_export",
        team=meeting.team,
        subject_id=row.id,
        arguments={"export_id": str(row.id)},
        status="succeeded",
    )
    row.save()
    return row


def endpoint(*, organization: Organization | None = None, **fields: Any) -> Endpoint:
    """Where nobody listens: an address on this machine without a server."""
    fields = {"url": "http://127.0.0.1:9/hook", "event_types": ["*"], **fields}
    row = Endpoint.objects.create(
        organization=organization or globals()["organization"](), **fields
    )
    with transaction.atomic():
        create_secret(endpoint=row)
    return row


def delivery(*, endpoint: Endpoint, event: Event | None = None, **fields: Any) -> Delivery:
    """What the endpoint is owed of an event: by default of a new meeting, and waiting."""
    if event is None:
        with transaction.atomic():
            event = events.publish(
                MEETING_CREATED,
                organization_id=endpoint.organization_id,
                data={"meeting_id": str(new_id()), "revision": 1},
            )
    body = body_of(event.type, event.occurred_at, event.data)
    fields = {"event_type": event.type, "body": body, "next_attempt_at": database_now(), **fields}
    return Delivery.objects.create(
        organization_id=endpoint.organization_id, endpoint=endpoint, event=event, **fields
    )


def attempt(*, delivery: Delivery, **fields: Any) -> DeliveryAttempt:
    """A try that was answered with 500."""
    fields = {
        "number": delivery.attempts.count() + 1,
        "started_at": database_now(),
        "duration_ms": 12,
        "status_code": 500,
        "error_kind": "status",
        "address": "127.0.0.1",
        **fields,
    }
    return DeliveryAttempt.objects.create(
        organization_id=delivery.organization_id, delivery=delivery, **fields
    )


def inbound_source(
    *, organization: Organization | None = None, scheme: Scheme = Scheme.STANDARD, **fields: Any
) -> InboundSource:
    """A sender whose secret is the one of the specification's example, unless another is given."""
    owner = organization or globals()["organization"]()
    given = {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", **fields}
    name = f"Source {next(_numbers)}"
    return InboundSource.objects.create(
        organization=owner, scheme=scheme, **{"name": name, **given}
    )


def inbound_message(*, source: InboundSource, **fields: Any) -> InboundMessage:
    """A message that was received and not handled yet."""
    number = next(_numbers)
    body = fields.pop("body", b'{"type": "order.paid"}')
    return InboundMessage.objects.create(
        organization=source.organization,
        source=source,
        body=body,
        **{
            "message_id": f"msg_{number}",
            "signed_hash": hashlib.sha256(str(number).encode()).hexdigest(),
            "type": "order.paid",
            "content_type": "application/json",
            "size_bytes": len(body or b""),
            "received_at": database_now(),
            **fields,
        },
    )


def notification(*, user: User, organization: Organization, **fields: Any) -> Notification:
    """A notification of the person, and how they want to hear of its kind."""
    NotificationPreference.objects.get_or_create(
        organization=organization, user=user, kind="job.failed"
    )
    number = next(_numbers)
    fields = {"kind": "job.failed", "title": f"Notification {number}", **fields}
    return Notification.objects.create(
        user=user, organization=organization, dedup_key=str(number), **fields
    )


def everything(
    *, organization: Organization, team: Team | None = None, reader: User | None = None
) -> None:
    """One row of every kind that belongs to an organization, as far as a team can see them.

    What only one person sees is the reader's.

    A test of the walls fails when a kind is missing here.
    """
    person = membership(organization=organization, role=Role.MEMBER)
    services.create_api_key(
        user=person.user, organization=organization, name="theirs", scopes=["*"]
    )
    held = meeting(organization=organization, organizer=person.user, team=team)
    participant(meeting=held, user=person.user)
    export(meeting=held)
    analysis(transcript=transcript(recording=recording(meeting=held)))
    with transaction.atomic():
        events.publish(
            MEETING_CREATED,
            organization_id=organization.id,
            data={"meeting_id": str(held.id), "revision": 1},
        )
    IdempotencyKey.objects.create(
        organization=organization, user=person.user, key="k", fingerprint="f", status=201
    )
    SecurityEvent.objects.create(organization=organization, kind="test")
    PendingFile.objects.create(
        organization=organization, key=f"{new_id()}", settle_at=database_now()
    )
    invitation(organization=organization)
    inbound_message(source=inbound_source(organization=organization))
    notification(user=reader or person.user, organization=organization)
    attempt(delivery=delivery(endpoint=endpoint(organization=organization)))
    if team is None:
        globals()["team"](organization=organization)
