"""From a meeting's text to its analysis: one job, a child for each section, settled at the end."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max

from core import errors
from core.accounts.actor import Actor
from core.events import services as events
from core.jobs import services as jobs
from core.jobs.failures import Cancelled, JobFailure
from core.jobs.models import Job, JobStatus
from core.jobs.run import Run
from meetings import queries
from meetings.analysis.engines import ENGINE
from meetings.analysis.findings import Section, SectionFindings
from meetings.events import ANALYSIS_COMPLETED
from meetings.models import (
    Analysis,
    AnalysisSection,
    AnalysisStatus,
    AnalysisTranscript,
    Meeting,
    Transcript,
)
from meetings.models.analysis import STATUS_OF_JOB
from meetings.services import findings as finding_services
from meetings.services import meetings as meeting_services

KIND = "meetings.analyse_transcript"
SECTION_KIND = "meetings.analyse_section"
DELEGATED = 0.1  # the share of the progress bar that is done once the sections are handed out


class EngineChanged(errors.Conflict):
    """One section by today's engine would not fit the others by yesterday's."""

    code = "analysis.engine_changed"
    message = "The engine has changed since this analysis. Run all of it again."


class TranscriptChanged(errors.Conflict):
    """One section of the text as it is now would not fit the others of an earlier text."""

    code = "analysis.transcript_changed"
    message = "The transcript has changed since this analysis. Run all of it again."


class AnalysisBusy(errors.Conflict):
    """What is at work on the analysis does not find all that is asked for now."""

    code = "analysis.busy"
    message = "Another section of this analysis is at work. Ask again when it has ended."


class SectionsFailed(JobFailure):
    """No section succeeded, so there is nothing to show."""

    code = "analysis.sections_failed"
    message = "Nothing of the transcript could be analysed."


class Superseded(JobFailure):
    """A newer analysis of the meeting has begun; this one must not overwrite it."""

    code = "analysis.superseded"
    message = "A newer analysis has taken the place of this one."


def request_analysis(
    *, meeting: Meeting, actor: Actor | None = None, section: Section | None = None
) -> Analysis:
    """Ask for a new analysis, or for one section of the latest one again; the job is in `job`.

    While a job is at work on the latest one, of the same text, and finds what is asked for, that
    one answers. Raises NotFound when the meeting is gone, TranscriptNotReady when it has no text,
    AnalysisNotReady for a section of no analysis, EngineChanged, TranscriptChanged, and
    AnalysisBusy while a job finds something else.
    """
    sections = [section] if section else list(Section)
    with transaction.atomic():
        held = meeting_services.lock_meeting(meeting, actor=actor)
        transcripts = queries.text_of(held).transcripts
        analysis = _latest(held)
        job = _at_work(analysis, transcripts)
        if analysis is None or job is None:
            if section:
                analysis = _of_which_a_section_fits(analysis, transcripts)
            else:
                analysis = _create(held, transcripts)
            job = _enqueue(analysis, held, actor, sections)
        _tie(analysis, job, sections)
    return analysis


def analyse_new_text(*, meeting: Meeting, actor: Actor | None = None) -> Analysis:
    """The reaction to a text that has changed: an analysis, unless the latest has read all of it.

    So it does not matter how many texts were completed meanwhile, nor in which order. Raises
    NotFound when the meeting is gone, TranscriptNotReady when it has no text.
    """
    sections = list(Section)
    with transaction.atomic():
        held = meeting_services.lock_meeting(meeting, actor=actor)
        transcripts = queries.text_of(held).transcripts
        analysis = _latest(held)
        if analysis is None or not _has_read(analysis, transcripts):
            analysis = _create(held, transcripts)
            job = _enqueue(analysis, held, actor, sections)
            _tie(analysis, job, sections)
    return analysis


def analyse_transcript(*, run: Run, analysis: Analysis, sections: Sequence[Section]) -> None:
    """The analysis job: first delegate each section, later, with all of them ended, settle."""
    children = run.children()
    if children:
        _settle(run, analysis, children)
        return
    with transaction.atomic():
        meeting_services.lock_meeting(analysis.meeting)
        with run.delegating("analysing") as job:
            job.progress = DELEGATED
            for section in sections:
                _delegate(job, analysis, section)


def analyse_section(*, run: Run, analysis: Analysis, section: Section) -> None:
    """A child's work: find one section and write it together with the child's success."""
    discussion = queries.discussion_of(analysis)
    findings = ENGINE.find(section, discussion)
    run.checkpoint()
    with transaction.atomic():
        meeting = meeting_services.lock_meeting(analysis.meeting)
        with run.finishing():
            _check_newest(analysis)
            finding_services.keep_findings(
                analysis=analysis, discussion=discussion, findings=findings
            )
            _mark_succeeded(analysis, findings)
            meeting_services.touch(meeting)


def _latest(meeting: Meeting) -> Analysis | None:
    """The meeting's newest analysis as an answer needs it."""
    return queries.with_job(meeting.analyses.order_by("-version")).first()


def _has_read(analysis: Analysis, transcripts: Sequence[Transcript]) -> bool:
    read = {link.transcript_id for link in analysis.transcript_links.all()}
    return read == {transcript.id for transcript in transcripts}


def _at_work(analysis: Analysis | None, transcripts: Sequence[Transcript]) -> Job | None:
    """The active job that today's engine does the analysis by; staff may have requeued an old one.

    A job for an older analysis, or for an earlier text, does not count.
    """
    if analysis is None or analysis.engine != ENGINE.name:
        return None
    if not _has_read(analysis, transcripts):
        return None
    return queries.active_job_of(analysis, kind=KIND)


def _of_which_a_section_fits(
    analysis: Analysis | None, transcripts: Sequence[Transcript]
) -> Analysis:
    """The analysis, if a section found now is of the same text and engine as the others.

    Raises AnalysisNotReady, EngineChanged, TranscriptChanged.
    """
    if analysis is None:
        raise queries.AnalysisNotReady
    if analysis.engine != ENGINE.name:
        raise EngineChanged
    if not _has_read(analysis, transcripts):
        raise TranscriptChanged
    return analysis


def _create(meeting: Meeting, transcripts: Sequence[Transcript]) -> Analysis:
    latest = meeting.analyses.aggregate(latest=Max("version"))["latest"] or 0
    longest = max(transcripts, key=lambda transcript: transcript.word_count)
    analysis = Analysis.objects.create(
        organization_id=meeting.organization_id,
        meeting=meeting,
        version=latest + 1,
        engine=ENGINE.name,
        language=longest.language,
    )
    AnalysisTranscript.objects.bulk_create(
        AnalysisTranscript(analysis=analysis, transcript=transcript, position=position)
        for position, transcript in enumerate(transcripts)
    )
    AnalysisSection.objects.bulk_create(
        AnalysisSection(organization_id=meeting.organization_id, analysis=analysis, section=section)
        for section in Section
    )
    return analysis


def _enqueue(
    analysis: Analysis, meeting: Meeting, actor: Actor | None, sections: Sequence[Section]
) -> Job:
    asker_id = actor.user.id if actor else None
    return jobs.enqueue(
        kind=KIND,
        origin=jobs.Origin(meeting.organization_id, meeting.team_id, asker_id),
        arguments={"analysis_id": str(analysis.id), "sections": [str(s) for s in sections]},
        subject_id=analysis.id,
        dedup_key=str(analysis.id),
    )


def _tie(analysis: Analysis, job: Job, sections: Sequence[Section]) -> None:
    """Let the job speak for the analysis. Raises AnalysisBusy when it finds other sections."""
    if not {*sections} <= {*job.arguments["sections"]}:
        raise AnalysisBusy
    analysis.job = job
    analysis.status = AnalysisStatus.QUEUED
    analysis.save(update_fields=["job", "status", "updated_at"])
    if not job.children.exists():  # once there are pieces, each section has its own
        analysis.sections.filter(section__in=sections).update(
            status=AnalysisStatus.QUEUED, job=job, error_code="", error_message=""
        )


def _delegate(job: Job, analysis: Analysis, section: Section) -> None:
    child = jobs.enqueue_child(
        parent=job,
        kind=SECTION_KIND,
        arguments={"analysis_id": str(analysis.id), "section": str(section)},
    )
    analysis.sections.filter(section=section).update(job=child)


def _check_newest(analysis: Analysis) -> None:
    """Under the meeting's lock. Raises Superseded.

    A later analysis has read a text at least as new. Where a transcript was deleted since, what was
    found may rest on it.
    """
    newer = Analysis.objects.filter(meeting_id=analysis.meeting_id, version__gt=analysis.version)
    if newer.exists() or analysis.transcript_links.filter(transcript=None).exists():
        raise Superseded


def _mark_succeeded(analysis: Analysis, findings: SectionFindings) -> None:
    analysis.sections.filter(section=findings.section).update(
        status=AnalysisStatus.SUCCEEDED,
        turns_used=findings.turns_used,
        turns_total=findings.turns_total,
        notes=[str(note) for note in findings.notes],
        error_code="",
        error_message="",
    )


def _settle(run: Run, analysis: Analysis, children: Sequence[Job]) -> None:
    """Write what became of each section; the job succeeds when there is anything to show.

    Where a newer analysis alone was in the way, the job ends as cancelled: nothing has failed.
    """
    unsuccessful = [child for child in children if child.status != JobStatus.SUCCEEDED]
    is_superseded = bool(unsuccessful) and all(map(_was_superseded, unsuccessful))
    with transaction.atomic():
        meeting_services.lock_meeting(analysis.meeting)
        for child in unsuccessful:
            _mark_unsuccessful(analysis, child)
        analysis.status = AnalysisStatus.CANCELLED if is_superseded else _outcome(analysis)
        analysis.save(update_fields=["status", "updated_at"])
        if analysis.status in (AnalysisStatus.SUCCEEDED, AnalysisStatus.PARTIAL):
            with run.finishing():
                _publish(run, analysis)
            return
        with run.writing() as job:
            if is_superseded:
                _say_why(job)
    raise Cancelled if is_superseded else SectionsFailed


def _was_superseded(child: Job) -> bool:
    return child.error_code == Superseded.code


def _say_why(job: Job) -> None:
    """A cancelled job keeps its reason: whoever watches it learns that nobody cancelled it."""
    job.error_code, job.error_message = Superseded.code, Superseded.message
    job.save(update_fields=["error_code", "error_message", "updated_at"])


def _mark_unsuccessful(analysis: Analysis, child: Job) -> None:
    is_superseded = _was_superseded(child)
    analysis.sections.filter(job=child).update(
        status=AnalysisStatus.CANCELLED if is_superseded else STATUS_OF_JOB[child.status],
        error_code=child.error_code,
        error_message=child.error_message,
    )


def _outcome(analysis: Analysis) -> AnalysisStatus:
    succeeded = analysis.sections.filter(status=AnalysisStatus.SUCCEEDED).count()
    if succeeded == len(Section):
        return AnalysisStatus.SUCCEEDED
    return AnalysisStatus.PARTIAL if succeeded else AnalysisStatus.FAILED


def _publish(run: Run, analysis: Analysis) -> None:
    transcript_ids = [str(transcript_id) for transcript_id in analysis.transcript_ids]
    events.publish(
        ANALYSIS_COMPLETED,
        organization_id=analysis.organization_id,
        data={
            "meeting_id": str(analysis.meeting_id),
            "transcript_id": transcript_ids[0] if transcript_ids else None,
            "transcript_ids": transcript_ids,
            "analysis_id": str(analysis.id),
            "engine": analysis.engine,
            "status": str(analysis.status),
        },
        actor_id=run.job.requested_by_id,
    )
