"""From a recording's bytes to its transcript, in pieces that several workers share.

The recording's job listens for speech, cuts the audio into windows of at most a minute and hands
batches of them to children. Each window's text is kept as a step of its child, so that a retry, or
a worker that takes over, never transcribes it twice. When the last child has ended, the job's
function is called again and writes the transcript.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from core.files import services as files
from core.jobs import services as jobs
from core.jobs.failures import JobFailure
from core.jobs.models import Job, JobStatus, JobStep
from core.jobs.run import Run
from meetings.media.model_files import ModelFacts, find_model
from meetings.models import Recording, Transcript
from meetings.services import meetings as meeting_services
from meetings.services.segments import Piece, copy_segments
from meetings.services.transcripts import publish_completed
from meetings.transcription import engine
from meetings.transcription.assemble import TranscriptText, assemble
from meetings.transcription.whisper import load_transcriber
from meetings.transcription.window_text import SpokenSegment, WindowText
from meetings.transcription.windows import Plan, Window

log = structlog.get_logger(__name__)

WINDOWS_KIND = "meetings.transcribe_windows"
LISTENED = 0.1  # the share of the progress bar that listening for speech takes


class WindowsFailed(JobFailure):
    """Some pieces could not be transcribed, so there is no whole text to show."""

    code = "transcription.windows_failed"
    message = "Part of the recording could not be transcribed."


class LanguageUnknown(JobFailure):
    """The recording was said to be in a language that the speech model does not know."""

    code = "transcription.language_unknown"
    message = "The speech model of this installation does not know the language."


def transcribe_recording(*, run: Run, recording: Recording) -> None:
    """The recording's job: first plan and delegate, later, with all windows done, assemble."""
    children = run.children()
    if children:
        _finish(run, recording, children)
        return
    model = _model()
    if recording.language and recording.language not in model.languages:
        raise LanguageUnknown
    plan = _planned(run, recording)
    batches = engine.batches(plan)
    if not batches:
        _finish(run, recording, [])
        return
    known = _known_texts(recording, model)
    with run.delegating("transcribing") as job:
        job.progress = LISTENED
        for batch in batches:
            _delegate(job, recording, model, batch, known)


def transcribe_windows(*, run: Run, recording: Recording, windows: list[Window]) -> None:
    """A child's work: the text of its windows, one kept step each."""
    model = _model()
    done = set(run.steps())
    left = [window for window in windows if _step_name(model, window) not in done]
    finished = len(windows) - len(left)

    def keep(text: WindowText) -> None:
        nonlocal finished
        run.keep_step(f"{model.name} {text.key}", text.to_json())
        finished += 1
        log.info("window.transcribed", window=text.key)
        run.report(finished / len(windows), "transcribing")

    if left:
        run.checkpoint()
        with files.local_copy(recording.stored_file) as path:
            engine.transcribe_windows(
                path,
                left,
                transcriber=load_transcriber(model, threads=settings.ASR_THREADS),
                language=recording.language or None,
                on_window=keep,
            )


def _model() -> ModelFacts:
    return find_model(settings.ASR_MODEL_DIR or None)


def _step_name(model: ModelFacts, window: Window) -> str:
    return f"{model.name} {window.key}"


def _planned(run: Run, recording: Recording) -> Plan:
    """The plan: made at the first call, read at every later one."""
    return Plan.from_json(run.step("plan", lambda: _plan(run, recording).to_json()))


def _plan(run: Run, recording: Recording) -> Plan:
    run.report(0.0, "listening for speech")
    total = max(recording.duration_ms, 1)

    def on_progress(decoded_ms: int) -> None:
        run.report(LISTENED * min(decoded_ms / total, 1.0), "listening for speech")

    with files.local_copy(recording.stored_file) as path:
        max_ms = int(settings.RECORDING_MAX_HOURS * 3_600_000)
        return engine.plan_recording(path, max_ms=max_ms, on_progress=on_progress)


def _delegate(
    job: Job, recording: Recording, model: ModelFacts, batch: list[Window], known: dict[str, Any]
) -> None:
    names = [_step_name(model, window) for window in batch]
    jobs.enqueue_child(
        parent=job,
        kind=WINDOWS_KIND,
        arguments={
            "recording_id": str(recording.id),
            "windows": [window.to_json() for window in batch],
        },
        steps={name: known[name] for name in names if name in known},
    )


def _known_texts(recording: Recording, model: ModelFacts) -> dict[str, Any]:
    """Windows of the same bytes and language that an earlier job has transcribed already."""
    twins = Recording.objects.filter(
        stored_file_id=recording.stored_file_id, language=recording.language
    )
    steps = JobStep.objects.filter(
        job__kind=WINDOWS_KIND,
        job__subject_id__in=twins.values("id"),
        name__startswith=f"{model.name} ",
    )
    return dict(steps.values_list("name", "output"))


def _finish(run: Run, recording: Recording, children: list[Job]) -> None:
    failed = [child for child in children if child.status != JobStatus.SUCCEEDED]
    if failed:
        raise WindowsFailed(f"{WindowsFailed.message} {failed[0].error_message}".strip())
    run.report(0.95, "writing the transcript")
    texts = JobStep.objects.filter(job__parent_id=run.id).values_list("output", flat=True)
    plan = _planned(run, recording)
    text = assemble(map(WindowText.from_json, texts), plan.notes)
    with transaction.atomic():
        meeting_services.lock_meeting(recording.meeting)
        _write(run, recording, text, plan.lost_ms)


def _write(run: Run, recording: Recording, text: TranscriptText, missing_ms: int) -> None:
    with run.finishing():
        transcript = _create_transcript(recording, text, missing_ms)
        copy_segments(transcript, map(_piece, text.segments))
        meeting_services.touch(recording.meeting)
        publish_completed(transcript, actor_id=run.job.requested_by_id)


def _create_transcript(recording: Recording, text: TranscriptText, missing_ms: int) -> Transcript:
    latest = recording.transcripts.aggregate(latest=Max("version"))["latest"] or 0
    return Transcript.objects.create(
        organization_id=recording.organization_id,
        meeting_id=recording.meeting_id,
        recording=recording,
        version=latest + 1,
        engine=_model().name,
        language=text.language,
        language_probability=text.language_probability,
        confidence=text.confidence,
        segment_count=len(text.segments),
        word_count=sum(len(segment.words) for segment in text.segments),
        speech_ms=text.speech_ms,
        uncovered_speech_ms=text.uncovered_speech_ms,
        missing_ms=missing_ms,
        notes=[note.to_json() for note in text.notes],
    )


def _piece(segment: SpokenSegment) -> Piece:
    return Piece(
        text=segment.text,
        start_ms=segment.start_ms,
        end_ms=segment.end_ms,
        confidence=segment.confidence,
        words=segment.bare_words(),
    )
