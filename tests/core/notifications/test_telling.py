"""A person is told once, in the ways they chose, and the letter is really sent."""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.core import mail
from django.db import transaction
from pytest_django.fixtures import Settings

from core.accounts.actor import Actor
from core.accounts.models import Role
from core.db.clock import database_now
from core.events import services as events
from core.jobs.events import JOB_FAILED
from core.jobs.models import Job, JobStatus
from core.notifications import kinds, services
from core.notifications.models import Notification, NotificationPreference
from tests import make
from tests.processes import free_port
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db(transaction=True)

KIND = kinds.kind_of("job.failed")
assert KIND is not None


def failed_job(who: Actor, **fields: Any) -> Job:
    """A job that the person asked for, and that has just failed."""
    fields = {"kind": "meetings.transcribe_recording", **fields}
    job = make.job(organization=who.organization, requested_by=who.user, **fields)
    job.status, job.error_code = JobStatus.FAILED, "recording.unreadable"
    job.error_message = "This recording is damaged & <cut>."
    job.ended_at = database_now()
    job.save()
    with transaction.atomic():
        events.publish(
            JOB_FAILED,
            organization_id=who.organization.id,
            actor_id=who.user.id,
            data={
                "job_id": str(job.id),
                "kind": job.kind,
                "subject_id": "",
                "error_code": job.error_code,
            },
        )
    return job


def test_who_asked_for_a_job_hears_that_it_failed(settings: Settings) -> None:
    who = make.actor()
    job = failed_job(who)
    run_jobs()
    row = Notification.objects.get()
    assert (row.user, row.organization, row.subject_id) == (who.user, who.organization, job.id)
    assert row.title == "Could not be done: meetings.transcribe_recording"
    assert "This recording is damaged & <cut>." in row.text
    assert f"{settings.PUBLIC_URL}/jobs/{job.id}/" in row.text
    (letter,) = mail.outbox
    assert letter.to == [who.user.email]
    assert (letter.subject, letter.body) == (row.title, row.text)
    assert row.emailed_at is not None


def test_letter_and_page_name_the_meeting_and_the_way_to_try_again() -> None:
    who = make.actor()
    meeting = make.meeting(organization=who.organization, title="Weekly & more")
    recording = make.recording(meeting=meeting, filename="week.mp3")
    export = make.export(meeting=meeting, format="pdf")
    analysis = make.analysis(transcript=make.transcript(recording=recording))
    expected = {
        recording.id: ('transcription of "week.mp3" in the meeting "Weekly & more"', "/retry/"),
        analysis.id: ('analysis of the meeting "Weekly & more"', f"/{meeting.id}/analysis/"),
        export.id: ('PDF file of the meeting "Weekly & more"', "/api/v1/exports/"),
    }
    jobs = [failed_job(who, subject_id=subject_id) for subject_id in expected]
    run_jobs()
    browser = make.signed_in(who.user)
    for job, (name, way) in zip(jobs, expected.values(), strict=True):
        row = Notification.objects.get(subject_id=job.id)
        assert row.title == f"Could not be done: {name}"
        assert f"{way}\n" in row.text
        page = browser.get(f"/jobs/{job.id}/").content.decode()
        shown = html.unescape(page)
        assert name[1:] in shown
        assert job.error_message in shown
        assert way in shown


def test_page_of_a_job_needs_sign_in_and_hides_other_organizations_jobs() -> None:
    job = failed_job(make.actor())
    answer = make.client().get(f"/jobs/{job.id}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/sign-in/?next=/jobs/{job.id}/")
    assert make.signed_in(make.actor().user).get(f"/jobs/{job.id}/").status_code == 404


def test_letter_names_no_meeting_that_the_person_may_not_see_any_more() -> None:
    who = make.actor(role=Role.MEMBER)
    meeting = make.meeting(
        organization=who.organization,
        title="Secret plan",
        team=make.team(organization=who.organization),
    )
    failed_job(who, subject_id=make.recording(meeting=meeting).id)
    run_jobs()
    row = Notification.objects.get()
    assert "Secret plan" not in row.title + row.text


def test_deleted_meeting_is_named_by_no_notification() -> None:
    who = make.actor()
    meeting = make.meeting(organization=who.organization)
    failed_job(who, subject_id=make.recording(meeting=meeting).id)
    run_jobs()
    assert Notification.objects.exists()
    assert make.client(who).delete(f"/api/v1/meetings/{meeting.id}/").status_code == 204
    assert not Notification.objects.exists()


def test_an_event_that_is_told_twice_tells_the_person_once() -> None:
    who = make.actor()
    failed_job(who)
    run_jobs()
    from core.events.models import Event

    Event.objects.update(fanned_out_at=None, finished=[])
    run_jobs()
    assert Notification.objects.count() == len(mail.outbox) == 1


def test_a_letter_that_was_sent_is_not_sent_again() -> None:
    who = make.actor()
    row = make.notification(user=who.user, organization=who.organization)
    services.send_email(notification=row)
    row.refresh_from_db()
    services.send_email(notification=row)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("in_app", "email", "listed", "letters"),
    [(True, False, 1, 0), (False, True, 0, 1), (False, False, 0, 0)],
)
def test_people_choose_how_they_are_told(
    in_app: bool, email: bool, listed: int, letters: int
) -> None:
    who = make.actor()
    NotificationPreference.objects.create(
        organization=who.organization, user=who.user, kind="job.failed", in_app=in_app, email=email
    )
    failed_job(who)
    run_jobs()
    assert Notification.objects.visible_to(who).count() == listed
    assert len(mail.outbox) == letters


def test_somebody_who_has_left_is_told_nothing() -> None:
    who = make.actor()
    job = failed_job(who)
    who.user.memberships.all().delete()
    run_jobs()
    assert not Notification.objects.filter(subject_id=job.id).exists()
    assert mail.outbox == []


def test_a_letter_that_fails_tells_nobody_by_letter() -> None:
    failed_job(make.actor(), kind=services.EMAIL_KIND)
    run_jobs()
    assert not Notification.objects.exists()


def test_what_people_were_told_is_kept_for_a_stated_time(settings: Settings) -> None:
    failed_job(who := make.actor())
    run_jobs()
    failed_job(who)
    run_jobs()
    old = Notification.objects.earliest("created_at")
    settings.NOTIFICATION_KEEP_DAYS = 7
    Notification.objects.filter(id=old.id).update(created_at=database_now(plus_seconds=-8 * 86_400))

    assert services.sweep() == 1

    assert not Notification.objects.filter(id=old.id).exists()
    assert Notification.objects.count() == 1


def test_letters_not_yet_sent_go_with_what_they_are_about() -> None:
    failed_job(make.actor())
    run_jobs()
    told = Notification.objects.get()
    assert told.subject_id is not None

    with transaction.atomic():
        services.forget_subjects([told.subject_id])

    assert not Notification.objects.exists()
    assert not Job.objects.filter(subject_id=told.id).exists()


def test_telling_insists_on_an_open_transaction() -> None:
    who = make.actor()
    assert KIND is not None
    with pytest.raises(RuntimeError):
        services.notify(
            kind=KIND,
            organization_id=who.organization.id,
            user_id=who.user.id,
            dedup_key="1",
            values={},
        )


# --- A real mail server -----------------------------------------------------------------------


class Mailbox:
    """Keeps what it is given; `answer` may refuse instead."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.answer = "250 OK"

    async def handle_RCPT(  # noqa: N802 - the name belongs to aiosmtpd
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        from email import message_from_bytes, policy

        self.letters.append(message_from_bytes(envelope.content, policy=policy.SMTP))
        return "250 OK"


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[Mailbox]:
    """A mail server that the settings name."""
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=free_port())
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.hostname, server.port
    settings.DEFAULT_FROM_EMAIL = "Minutebook <notes@acme.example>"
    yield box
    server.stop()


def email_job(who: Actor) -> Job:
    failed_job(who)
    run_jobs()
    job: Job = Job.objects.get(kind=services.EMAIL_KIND)
    return job


def test_the_letter_reaches_a_real_mail_server(mailbox: Mailbox) -> None:
    who = make.actor()
    assert email_job(who).status == JobStatus.SUCCEEDED
    (letter,) = mailbox.letters
    row = Notification.objects.get()
    assert letter["To"] == who.user.email
    assert letter["From"] == "Minutebook <notes@acme.example>"
    assert letter["Message-ID"] == f"<{row.id}@acme.example>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert abs(database_now() - letter["Date"].datetime) < timedelta(minutes=1)
    assert "damaged & <cut>" in letter.get_content()


def test_an_address_that_is_refused_for_good_is_not_tried_again(mailbox: Mailbox) -> None:
    mailbox.answer = "550 No such person"
    job = email_job(make.actor())
    assert (job.status, job.attempts, job.error_code) == ("failed", 1, "notification.refused")
    assert Notification.objects.get().emailed_at is None


def test_a_server_that_is_busy_is_asked_again_five_seconds_later(mailbox: Mailbox) -> None:
    mailbox.answer = "450 Later, please"
    job = email_job(make.actor())
    assert (job.status, job.attempts, job.error_code) == ("queued", 1, "notification.mail_away")
    assert 3 < (job.run_at - database_now()).total_seconds() <= 5
    mailbox.answer = "250 OK"
    Job.objects.filter(id=job.id).update(run_at=database_now())
    run_jobs()
    assert len(mailbox.letters) == 1


def test_a_server_that_is_down_is_no_end_of_the_job(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    job = email_job(make.actor())
    assert (job.status, job.error_code) == ("queued", "notification.mail_away")
