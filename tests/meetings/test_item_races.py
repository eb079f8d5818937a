"""A person changes an item while somebody else, or a worker, changes or deletes the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from core.events.models import Event
from core.jobs import worker
from core.jobs.models import Job
from meetings.analysis.discussion import Discussion
from meetings.analysis.engines import ENGINE
from meetings.analysis.findings import Section, SectionFindings
from meetings.models import Decision, Meeting
from meetings.services import meetings as meeting_services
from tests import make
from tests.meetings.insight import address, analysed, find_by
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db(transaction=True)

WAITING = """
SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
 WHERE NOT granted AND datname = current_database()
"""


class Desk:
    """A meeting with one decision, and people who change it at once."""

    def __init__(self) -> None:
        self.actor = make.actor()
        self.meeting: Meeting = make.meeting(organization=self.actor.organization)
        self.client = make.client(self.actor)
        self.decision = analysed(self.client, self.meeting)["decisions"][0]
        self.pool = ThreadPoolExecutor(max_workers=4)

    def patch(self, change: dict[str, Any]) -> Future[Any]:
        return self.pool.submit(self._patch, change)

    def _patch(self, change: dict[str, Any]) -> Any:
        try:
            return self.client.patch(f"/api/v1/decisions/{self.decision['id']}/", change)
        finally:
            connection.close()

    def held_up(self, work: Callable[[], object], *changes: dict[str, Any]) -> list[Any]:
        """The answers to changes that all found the meeting locked until the work committed."""
        with transaction.atomic():
            work()
            answers = [self.patch(change) for change in changes]
            wait_for(len(changes), answers)
        return [answer.result(timeout=30) for answer in answers]

    def lock(self) -> None:
        meeting_services.lock_meeting(self.meeting)

    def delete(self) -> None:
        meeting_services.delete_meeting(actor=self.actor, meeting=self.meeting)


def wait_for(number: int, answers: list[Future[Any]]) -> None:
    """Until so many wait for a lock in this database."""
    deadline = time.monotonic() + 30
    with connection.cursor() as cursor:
        while time.monotonic() < deadline and not any(answer.done() for answer in answers):
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(WAITING)
            row = cursor.fetchone()
            if row is not None and row[0] >= number:
                return
            time.sleep(0.01)
    raise AssertionError("somebody did not wait for the meeting's lock")


def test_an_item_of_a_meeting_that_is_being_deleted_cannot_be_changed() -> None:
    desk = Desk()
    (answer,) = desk.held_up(desk.delete, {"status": "confirmed"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert not Event.objects.filter(type="decision.confirmed").exists()


def test_two_who_confirm_at_once_confirm_once() -> None:
    desk = Desk()
    before = Meeting.objects.get().revision
    answers = desk.held_up(desk.lock, *[{"status": "confirmed"}] * 2)
    assert [answer.json()["status"] for answer in answers] == ["confirmed"] * 2
    assert Event.objects.filter(type="decision.confirmed").count() == 1
    assert Meeting.objects.get().revision == before + 1


def test_of_two_changes_at_once_neither_is_lost() -> None:
    desk = Desk()
    answers = desk.held_up(desk.lock, {"text": "We wait."}, {"status": "confirmed"})
    assert [answer.status_code for answer in answers] == [200, 200]
    decision = Decision.objects.get()
    assert decision.text == "We wait."
    assert decision.status in ("confirmed", "edited")
    assert Event.objects.filter(type="decision.confirmed").count() == 1


def test_what_is_confirmed_while_the_engine_looks_is_neither_deleted_nor_doubled() -> None:
    desk = Desk()
    own, confirmed = ENGINE.find, threading.Event()

    def find(section: Section, discussion: Discussion) -> SectionFindings:
        if section == Section.DECISIONS and not confirmed.is_set():
            assert desk.patch({"status": "confirmed"}).result(timeout=30).status_code == 200
            confirmed.set()
        return own(section, discussion)

    desk.client.post(address(desk.meeting))
    with find_by(find):
        run_jobs()
    assert confirmed.is_set()
    decision = Decision.objects.get()
    assert (str(decision.id), decision.status) == (desk.decision["id"], "confirmed")


def test_a_draft_that_is_being_replaced_cannot_be_changed_any_more() -> None:
    desk = Desk()
    desk.client.post(address(desk.meeting))
    worker.perform(str(Job.objects.get(kind="meetings.analyse_transcript", status="queued").id))
    child = Job.objects.get(status="queued", arguments__section="decisions")
    (answer,) = desk.held_up(lambda: worker.perform(str(child.id)), {"status": "confirmed"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    decision = Decision.objects.get()
    assert (str(decision.id) != desk.decision["id"], decision.status) == (True, "draft")
