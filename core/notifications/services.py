"""Telling people, and remembering what they have read and want to hear."""

from __future__ import annotations

import smtplib
import uuid
from collections.abc import Collection, Mapping
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from core.accounts.actor import Actor
from core.accounts.models import Invitation, Membership
from core.db.clock import database_now
from core.db.transactions import require_transaction
from core.http.address import public_url
from core.jobs import services as jobs
from core.jobs.failures import JobFailure, RetryableFailure
from core.jobs.models import Job
from core.jobs.services import Origin
from core.notifications.kinds import NotificationKind
from core.notifications.models import Notification, NotificationPreference, NotificationQuerySet

EMAIL_KIND = "core.send_notification"
INVITATION_KIND = "core.send_invitation"
SWEPT_AT_ONCE = 1000


class MailRefused(JobFailure):
    """The mail server will not take a letter to this person, now or later."""

    code = "notification.refused"
    message = "The mail server does not deliver to this address."


class MailAway(RetryableFailure):
    """The mail server could not be reached, or asked to be left alone for a while."""

    code = "notification.mail_away"
    message = "The mail server could not take the letter."


def notify(
    *,
    kind: NotificationKind,
    organization_id: uuid.UUID,
    user_id: uuid.UUID,
    dedup_key: str,
    values: Mapping[str, Any],
    subject_id: uuid.UUID | None = None,
) -> Notification | None:
    """Tell a member something once, in the ways they chose; the same `dedup_key` tells it once.

    Writes into the open transaction. None when there is nobody to tell: the person has left the
    organization, is not active or wants to hear nothing of this kind, or was told before.
    """
    require_transaction("notify")
    wanted = _wanted(kind, organization_id, user_id)
    if not (wanted.in_app or wanted.email):
        return None
    title, text = kind.words({**values, "public_url": settings.PUBLIC_URL})
    row = Notification(
        organization_id=organization_id,
        user_id=user_id,
        kind=kind.name,
        title=title[:300],
        text=text,
        subject_id=subject_id,
        dedup_key=dedup_key,
        is_listed=wanted.in_app,
        wants_email=wanted.email,
    )
    Notification.objects.bulk_create([row], ignore_conflicts=True)
    if not Notification.objects.filter(id=row.id).exists():
        return None
    if wanted.email:
        _owe_email(row)
    return row


def _wanted(
    kind: NotificationKind, organization_id: uuid.UUID, user_id: uuid.UUID
) -> NotificationPreference:
    """What this member asked for; nothing for somebody who is no member any more."""
    where = {"organization_id": organization_id, "user_id": user_id}
    if not Membership.objects.filter(**where, user__is_active=True).exists():
        return NotificationPreference(in_app=False, email=False)
    row = NotificationPreference.objects.filter(**where, kind=kind.name).first()
    return row or NotificationPreference(in_app=True, email=True)


def _owe_email(row: Notification) -> None:
    jobs.enqueue(
        kind=EMAIL_KIND,
        origin=Origin(organization_id=row.organization_id, requested_by_id=row.user_id),
        arguments={"notification_id": str(row.id)},
        subject_id=row.id,
    )


def send_email(*, notification: Notification) -> None:
    """Send the owed e-mail and remember it. Raises MailRefused or MailAway.

    A worker that is killed between the two sends it again under the same Message-ID, which mail
    programs show once (RFC 5322, section 3.6.4).
    """
    if notification.emailed_at is not None:
        return
    send_mail(
        message_id=notification.id,
        to=notification.user.email,
        subject=notification.title,
        text=notification.text,
    )
    Notification.objects.filter(id=notification.id).update(emailed_at=database_now())


def send_invitation(*, invitation: Invitation) -> None:
    """Mail the link of an invitation to the invited address. Raises MailRefused or MailAway."""
    values = {
        "invitation": invitation,
        "organization": invitation.organization,
        "link": public_url(reverse("invitation", args=[invitation.token])),
    }
    subject, _, text = render_to_string("accounts/invitation.txt", values).strip().partition("\n")
    send_mail(message_id=invitation.id, to=invitation.email, subject=subject, text=text.strip())


def send_mail(*, message_id: uuid.UUID, to: str, subject: str, text: str) -> None:
    """Send one plain-text message. Raises MailRefused or MailAway."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    letter = EmailMessage(
        subject,
        text,
        to=[to],
        headers={
            "Date": format_datetime(database_now()),
            "Message-ID": f"<{message_id}@{domain}>",
            "Auto-Submitted": "auto-generated",  # holiday notices do not answer (RFC 3834)
        },
    )
    try:
        letter.send()
    except smtplib.SMTPRecipientsRefused as error:
        raise _refusal(error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailAway from error


def _refusal(error: smtplib.SMTPRecipientsRefused) -> JobFailure:
    """RFC 5321, section 4.2.1: 5yz will not change, 4yz may."""
    codes = [code for code, _ in error.recipients.values()]
    return MailRefused() if codes and all(code >= 500 for code in codes) else MailAway()


def forget_subjects(subject_ids: Collection[uuid.UUID]) -> None:
    """Delete what people were told of things that are deleted, and the letters not yet sent."""
    require_transaction("forget_subjects")
    about = Notification.objects.filter(subject_id__in=subject_ids)
    jobs.forget_subjects(list(about.values_list("id", flat=True)))
    about.delete()


def forget_jobs(subject_ids: list[uuid.UUID]) -> None:
    """Delete the jobs about something that is deleted, and the letters that name it."""
    about = Job.objects.filter(subject_id__in=subject_ids)
    forget_subjects(list(about.values_list("id", flat=True)))
    jobs.forget_subjects(subject_ids)


def sweep() -> int:
    """Delete what people were told longer ago than it is kept, some at a time; how many went."""
    horizon = database_now() - timedelta(days=settings.NOTIFICATION_KEEP_DAYS)
    old = Notification.objects.filter(created_at__lt=horizon).order_by("created_at")
    swept = 0
    while ids := list(old.values_list("id", flat=True)[:SWEPT_AT_ONCE]):
        swept += Notification.objects.filter(id__in=ids).delete()[0]
    return swept


def mark_read(*, notification: Notification, is_read: bool) -> Notification:
    """Remember that the person has read it, or wants to see it as new again."""
    if is_read != (notification.read_at is not None):
        notification.read_at = database_now() if is_read else None
        notification.save(update_fields=["read_at", "updated_at"])
    return notification


def mark_all_read(*, notifications: NotificationQuerySet) -> int:
    """Remember that the person has read all of these; how many were new."""
    moment = database_now()
    return notifications.unread().update(read_at=moment, updated_at=moment)


def choose(
    *, actor: Actor, kind: NotificationKind, in_app: bool | None, email: bool | None
) -> NotificationPreference:
    """Keep how the actor wants to hear of a kind; None leaves a way as it is."""
    chosen = {"in_app": in_app, "email": email}
    given = {name: value for name, value in chosen.items() if value is not None}
    with transaction.atomic():
        row, _created = NotificationPreference.objects.update_or_create(
            organization=actor.organization, user=actor.user, kind=kind.name, defaults=given
        )
    return row
