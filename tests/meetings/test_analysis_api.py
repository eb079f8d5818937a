"""What a meeting comes to, from the text to the answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.accounts.models import Role
from core.events.models import Event
from core.jobs.models import Job, JobStatus
from meetings.analysis.discussion import Discussion
from meetings.analysis.engines import ENGINE
from meetings.analysis.findings import (
    ActionItemFound,
    DecisionFound,
    Note,
    Quote,
    Section,
    SectionFindings,
    TopicFound,
)
from meetings.models import Analysis, AnalysisStatus, Decision, Evidence, Segment
from tests import make
from tests.meetings.insight import (
    DISCUSSION,
    address,
    analysed,
    failing_in,
    find_by,
    run_jobs_to_the_end,
    send,
)
from tests.run_jobs import run_jobs

pytestmark = pytest.mark.django_db

ALL = [section.value for section in Section]


def statuses(analysis: dict[str, Any]) -> dict[str, str]:
    return {section["section"]: section["status"] for section in analysis["sections"]}


def found_as(*items: Any) -> Any:
    """An engine that finds these, whatever is asked of it."""

    def find(section: Section, discussion: Discussion) -> SectionFindings:
        total = len(discussion.turns)
        fitting = {
            Section.DECISIONS: DecisionFound,
            Section.ACTION_ITEMS: ActionItemFound,
            Section.TOPICS: TopicFound,
        }.get(section, ())
        mine: Any = tuple(item for item in items if isinstance(item, fitting))
        return SectionFindings(section, mine, turns_used=1, turns_total=total)

    return find


def test_a_text_is_analysed_by_itself_and_everything_says_what_it_rests_on() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    found = analysed(make.client(actor), meeting)
    assert (found["analysis"]["engine"], found["analysis"]["status"]) == (
        ENGINE.name,
        "succeeded",
    )
    assert statuses(found) == dict.fromkeys(ALL, "succeeded")
    assert [(s["turns_used"], s["turns_total"]) for s in found["sections"]] == [(6, 6)] * 4
    assert found["job"]["status"] == "succeeded"
    assert found["summary"]["text"]
    decision = found["decisions"][0]
    assert "first of March" in decision["text"]
    segment = Segment.objects.get(position=2)
    assert decision["evidence"][0]["segment"] == str(segment.id)
    assert decision["evidence"][0]["start_ms"] == 20_000
    assert decision["evidence"][0]["speaker"] == "Anna"
    assert decision["evidence"][0]["verified"] is True
    quotes = Evidence.objects.select_related("segment")
    assert quotes.exists()
    assert all(row.quote in row.segment.text for row in quotes)


def test_due_dates_count_from_the_meetings_day_where_the_organization_lives() -> None:
    organization = make.organization(time_zone="Pacific/Auckland")
    actor = make.actor(organization=organization)
    # Wednesday evening in London is Thursday in Auckland.
    starts = datetime(2026, 11, 18, 20, tzinfo=UTC)
    meeting = make.meeting(organization=organization, starts_at=starts)
    found = analysed(make.client(actor), meeting, *DISCUSSION)
    item = found["action_items"][0]
    assert (item["due_on"], item["owner_name"]) == ("2026-11-20", "Ben")
    assert "Friday" in item["due_phrase"]


def test_an_owner_is_tied_to_the_one_member_of_that_name() -> None:
    actor = make.actor()
    ben = make.user(name="Ben")
    make.membership(user=ben, organization=actor.organization)
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    assert analysed(client, meeting)["action_items"][0]["owner"]["id"] == str(ben.id)
    make.membership(user=make.user(name="Ben"), organization=actor.organization)
    other = make.meeting(organization=actor.organization)
    assert analysed(client, other)["action_items"][0]["owner"] is None


def test_the_house_hears_of_the_analysis() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    found = analysed(make.client(actor), meeting)
    event = Event.objects.get(type="analysis.completed")
    assert event.data["analysis_id"] == found["analysis"]["id"]
    assert event.data["status"] == "succeeded"


def test_before_it_is_ready_the_analysis_shows_how_far_it_is() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    answer = client.get(address(meeting))
    assert (answer.status_code, answer.json()["code"]) == (404, "analysis.not_ready")
    asked = send(client, meeting)
    assert asked.status_code == 201, asked.content
    assert asked.json()["job"]["kind"] == "meetings.analyse_transcript"
    shown = client.get(address(meeting)).json()
    assert (shown["analysis"]["status"], statuses(shown)) == (
        "queued",
        dict.fromkeys(ALL, "queued"),
    )
    client.post(f"/api/v1/jobs/{asked.json()['job']['id']}/cancel/")
    shown = client.get(address(meeting)).json()
    assert (shown["analysis"]["status"], statuses(shown)) == (
        "cancelled",
        dict.fromkeys(ALL, "cancelled"),
    )


def test_asking_again_while_one_is_at_work_gives_the_same_job() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    send(client, meeting)
    jobs = {client.post(address(meeting)).json()["job"]["id"] for _ in range(3)}
    jobs |= {client.post(address(meeting), {"section": "topics"}).json()["job"]["id"]}
    assert len(jobs) == 1
    run_jobs()
    assert Analysis.objects.count() == 1
    assert client.post(address(meeting)).json()["analysis"]["version"] == 2


def test_a_section_that_fails_costs_no_other_and_is_run_again_alone() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    send(client, meeting)
    with find_by(failing_in(Section.TOPICS)):
        run_jobs_to_the_end()
    found = client.get(address(meeting)).json()
    assert found["analysis"]["status"] == "partial"
    assert statuses(found) == {**dict.fromkeys(ALL, "succeeded"), "topics": "failed"}
    topics = found["sections"][1]
    assert (topics["error"]["code"], topics["turns_used"]) == ("job.unexpected", None)
    assert found["decisions"]
    assert found["topics"] == []
    assert found["job"]["status"] == "succeeded"
    assert Event.objects.get(type="analysis.completed").data["status"] == "partial"

    again = client.post(address(meeting), {"section": "topics"})
    assert (again.status_code, again.json()["analysis"]["id"]) == (202, found["analysis"]["id"])
    run_jobs()
    repaired = client.get(address(meeting)).json()
    assert (repaired["analysis"]["status"], repaired["analysis"]["version"]) == ("succeeded", 1)
    assert repaired["sections"][1]["error"] is None
    assert repaired["decisions"] == found["decisions"]
    done = Job.objects.filter(kind="meetings.analyse_section", status=JobStatus.SUCCEEDED)
    assert done.count() == 4, "nothing was done twice"


def test_when_every_section_fails_the_analysis_and_its_job_say_so() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    send(client, meeting)
    with find_by(failing_in(*Section)):
        run_jobs_to_the_end()
    found = client.get(address(meeting)).json()
    assert (found["analysis"]["status"], found["job"]["status"]) == ("failed", "failed")
    assert found["job"]["error"]["code"] == "analysis.sections_failed"
    attempts = Job.objects.filter(kind="meetings.analyse_section").values_list("attempts", "status")
    assert set(attempts) == {(3, "dead")}
    assert not Event.objects.filter(type="analysis.completed").exists()


def test_what_people_judged_outlives_a_new_analysis_and_is_not_added_twice() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    texts = ["We launch in March.", "We hire Eva.", "We buy chairs.", "We paint it blue."]
    with find_by(found_as(*(DecisionFound(text, 0.9, ()) for text in texts))):
        first = analysed(client, meeting)["decisions"]
        changes = ({"status": "confirmed"}, {"status": "dismissed"}, {"text": "We buy stools."})
        for decision, change in zip(first, changes, strict=False):
            assert client.patch(f"/api/v1/decisions/{decision['id']}/", change).status_code == 200
        client.post(address(meeting))
        run_jobs()
    second = client.get(address(meeting)).json()["decisions"]
    assert [(d["text"], d["status"]) for d in second] == [
        ("We launch in March.", "confirmed"),
        ("We paint it blue.", "draft"),
        ("We hire Eva.", "dismissed"),
        ("We buy stools.", "edited"),
    ]
    assert {d["id"] for d in second} & {d["id"] for d in first} == {d["id"] for d in first[:3]}
    assert Decision.objects.count() == 4


def test_what_was_dismissed_does_not_come_back_in_slightly_other_words() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    said = "We agreed that the old {} will be thrown away."
    first = analysed(client, meeting, ("Anna", said.format("printer")))["decisions"]
    client.patch(f"/api/v1/decisions/{first[0]['id']}/", {"status": "dismissed"})
    other = "We decided to launch the new website on the first of March."
    found = analysed(client, meeting, ("Anna", said.format("printers")), ("Ben", other))
    assert {(d["text"], d["status"]) for d in found["decisions"]} == {
        (first[0]["text"], "dismissed"),
        *((d["text"], "draft") for d in found["decisions"] if "website" in d["text"]),
    }
    assert len(found["decisions"]) == 2


def test_however_many_were_kept_a_new_find_is_compared_with_all_of_them() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    row = make.analysis(transcript=make.transcript(recording=make.recording(meeting=meeting)))
    texts = [f"We keep item{number} beside thing{number}." for number in range(250)]
    owned = {"organization": actor.organization, "meeting": meeting, "analysis": row}
    Decision.objects.all().delete()
    Decision.objects.bulk_create(
        Decision(**owned, text=text, found_text=text, confidence=0.8, status="dismissed")
        for text in texts
    )
    new = [f"We drop plan{number} after year{number}." for number in range(120)]
    reworded = [text.replace("We keep", "Today we keep") for text in texts]
    finds = [DecisionFound(text, 0.9, ()) for text in (*reworded, *new)]
    with find_by(found_as(*finds)):
        client.post(address(meeting))
        run_jobs()
    drafts = Decision.objects.filter(status="draft").order_by("position")
    assert list(drafts.values_list("text", flat=True)) == new


def test_drafts_that_carry_a_persons_work_are_not_deleted() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    row = make.analysis(transcript=make.transcript(recording=make.recording(meeting=meeting)))
    done = make.action_item(analysis=row, completed_at="2026-11-22T10:00:00Z")
    edited = make.decision(analysis=row)
    client.patch(f"/api/v1/decisions/{edited.id}/", {"text": "Red it is."})
    client.patch(f"/api/v1/decisions/{edited.id}/", {"status": "draft"})
    untouched = make.decision(analysis=row)
    client.post(address(meeting))
    run_jobs()
    found = client.get(address(meeting)).json()
    assert [d["id"] for d in found["decisions"]] == [str(edited.id)]
    assert [item["id"] for item in found["action_items"]] == [str(done.id)]
    assert not Decision.objects.filter(id=untouched.id).exists()


def test_an_engine_is_not_believed_about_its_quotes() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    send(client, meeting)
    first = str(Segment.objects.get(position=0).id)
    quotes = (
        Quote(first, "Good morning", verified=True),
        Quote(first, "Good night", verified=True),
        Quote(first, "Good", verified=False),
        Quote("01a20120-0000-7000-8000-000000000000", "Good morning", verified=True),
        Quote("no id at all", "Good morning", verified=True),
        Quote(first, " ", verified=True),
    )
    topic = TopicFound("Weather", "no such turn", first, ())
    with find_by(found_as(DecisionFound("Blue.", 0.5, quotes), topic)):
        run_jobs()
    found = client.get(address(meeting)).json()
    evidence = found["decisions"][0]["evidence"]
    assert [quote["verified"] for quote in evidence] == [True, False, False, False, False, False]
    assert [quote["segment"] == first for quote in evidence] == [
        True,
        True,
        True,
        False,
        False,
        True,
    ]
    assert (found["topics"][0]["first_segment"], found["topics"][0]["last_segment"]) == (
        None,
        first,
    )


@pytest.mark.parametrize(
    ("text", "language", "note"),
    [
        ("", "en", Note.NOTHING_SAID),
        ("Yes.", "en", Note.TOO_LITTLE_SAID),
        ("Yes, we decided to go.", "", Note.LANGUAGE_UNKNOWN),
        ("Nous avons décidé de partir.", "fr", Note.NO_CUES_FOR_LANGUAGE),
    ],
)
def test_what_cannot_be_done_is_said_in_a_stored_result(
    text: str, language: str, note: Note
) -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    send(client, meeting, ("Anna", text), language=language)
    run_jobs()
    found = client.get(address(meeting)).json()
    assert found["analysis"]["status"] == "succeeded"
    notes = {n["code"]: n["message"] for s in found["sections"] for n in s["notes"]}
    assert notes[note].endswith(".")


@pytest.mark.slow
def test_three_hours_of_words_are_analysed() -> None:
    # Two hundred thousand words are sent in by another test and measured by `./mb bench insight`.
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    message = (
        "The committee looked at item {0} of the budget for the coming year and then talked about "
        "the bridge near school number {1}."
    )
    said = tuple(
        (f"Speaker {number % 5}", message.format(number, number % 97)) for number in range(1_000)
    )
    assert sum(len(text.split()) for _, text in said) > 20_000
    found = analysed(client, meeting, *said)
    assert found["analysis"]["status"] == "succeeded"
    assert found["summary"]["evidence"]


def test_a_newer_text_is_not_overwritten_by_an_older_ones_analysis() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    send(client, meeting)
    old = client.post(address(meeting)).json()
    send(client, meeting, ("Anna", "We decided to close the shop in the old town in April."))
    new = client.post(address(meeting)).json()
    assert new["analysis"]["id"] != old["analysis"]["id"]
    run_jobs()
    job = client.get(f"/api/v1/jobs/{old['job']['id']}/").json()
    assert (job["status"], job["error"]["code"]) == ("cancelled", "analysis.superseded")
    assert not Event.objects.filter(type__in=("job.failed", "job.dead")).exists()
    assert Analysis.objects.get(id=old["analysis"]["id"]).status == AnalysisStatus.CANCELLED
    assert Event.objects.get(type="analysis.completed").data["status"] == "succeeded"
    found = client.get(address(meeting)).json()
    assert found["analysis"]["id"] == new["analysis"]["id"]
    assert {d["analysis"] for d in found["decisions"]} == {new["analysis"]["id"]}


def test_the_meeting_shows_people_text_and_analysis() -> None:
    actor = make.actor()
    client = make.client(actor)
    meeting = make.meeting(organization=actor.organization, organizer=actor.user)
    analysed(client, meeting)
    shown = client.get(f"/api/v1/meetings/{meeting.id}/").json()
    assert [(p["name"], p["part"]) for p in shown["people"]] == [
        (actor.user.email, "organizer"),
        ("Anna", "speaker"),
        ("Ben", "speaker"),
        ("Cara", "speaker"),
    ]
    assert [s["text"] for s in shown["transcript"]["segments"]] == [text for _, text in DISCUSSION]
    assert shown["analysis"] == client.get(address(meeting)).json()


def test_a_meeting_shows_the_first_hundred_segments_only() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    make.transcript(recording=make.recording(meeting=meeting), texts=("a",) * 101)
    shown = make.client(actor).get(f"/api/v1/meetings/{meeting.id}/").json()
    assert len(shown["transcript"]["segments"]) == 100
    assert shown["analysis"] is None


def test_a_section_by_another_engine_is_not_mixed_in() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    transcript = make.transcript(recording=make.recording(meeting=meeting))
    answer = client.post(address(meeting), {"section": "topics"})
    assert (answer.status_code, answer.json()["code"]) == (404, "analysis.not_ready")
    make.analysis(transcript=transcript, engine="another")
    answer = client.post(address(meeting), {"section": "topics"})
    assert (answer.status_code, answer.json()["code"]) == (409, "analysis.engine_changed")
    assert client.post(address(meeting)).status_code == 202


def test_what_cannot_be_asked_for_is_refused() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    answer = client.post(address(meeting))
    assert (answer.status_code, answer.json()["code"]) == (404, "transcript.not_ready")
    for body in ({"section": "jokes"}, {"sections": ["topics"]}):
        assert client.post(address(meeting), body).status_code == 400
    for what in ("x", meeting.id):
        answer = client.get(f"{address(meeting)}?recording={what}")
        assert (answer.status_code, answer.json()["code"]) == (404, "analysis.not_ready")
    viewer = make.client(make.actor(organization=actor.organization, role=Role.VIEWER))
    assert viewer.post(address(meeting)).status_code == 403
    assert make.client(make.actor()).get(address(meeting)).status_code == 404


def test_a_deleted_meeting_takes_its_analysis_and_its_jobs_along() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    analysed(client, meeting)
    client.post(address(meeting))
    assert client.delete(f"/api/v1/meetings/{meeting.id}/").status_code == 204
    assert not any(model.objects.exists() for model in (Analysis, Evidence, Segment, Job))
    run_jobs()


def test_the_event_of_a_deleted_text_is_let_go() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    client = make.client(actor)
    send(client, meeting)
    client.delete(f"/api/v1/meetings/{meeting.id}/")
    run_jobs()
    assert not Event.objects.filter(fanned_out_at=None).exists()
    assert not Analysis.objects.exists()


def test_an_analysis_whose_job_is_long_gone_says_it_failed() -> None:
    actor = make.actor()
    meeting = make.meeting(organization=actor.organization)
    transcript = make.transcript(recording=make.recording(meeting=meeting))
    make.analysis(transcript=transcript, status=AnalysisStatus.QUEUED)
    found = make.client(actor).get(address(meeting)).json()
    assert found["analysis"]["status"] == "failed"
