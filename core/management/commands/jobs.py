"""`manage.py jobs`: background work from a terminal."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import errors
from core.db.clock import database_now
from core.jobs import queries as job_queries
from core.jobs import retention, services
from core.jobs.models import ENDED, Job, JobStatus

USUAL_LIMIT = 50
LINE = "{id}  {status:<9}  {tries:>5}  {created:%Y-%m-%d %H:%M:%S}  {kind}  {note}"


class Command(BaseCommand):
    """One line per job on standard output; exit code 1 when something could not be done."""

    help = "Lists, shows, requeues, cancels and prunes background work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
        self._listing(acts.add_parser("list", help="the newest jobs, or some of them"))
        shown = acts.add_parser("show", help="one job with its attempts, steps and children")
        shown.add_argument("id", type=uuid.UUID)
        for act in ("requeue", "cancel"):
            chosen = acts.add_parser(act, help=f"{act} jobs by id, or all that the options name")
            chosen.add_argument("ids", nargs="*", type=uuid.UUID, metavar="ID")
            self._listing(chosen)
        pruned = acts.add_parser("prune", help="remove ended jobs that are too old")
        pruned.add_argument("--seconds", type=float, default=retention.USUAL_SECONDS)

    def _listing(self, parser: ArgumentParser) -> None:
        parser.add_argument("--status", choices=JobStatus.values)
        parser.add_argument("--kind")
        parser.add_argument("--queue")
        parser.add_argument("--organization", type=uuid.UUID, metavar="ID")
        parser.add_argument("--older-than", type=float, metavar="MINUTES")
        parser.add_argument("--limit", type=int, default=USUAL_LIMIT)

    def handle(self, *_args: Any, **options: Any) -> None:
        acts: dict[str, Callable[[dict[str, Any]], None]] = {
            "list": self._list,
            "show": self._show,
            "requeue": self._requeue,
            "cancel": self._cancel,
            "prune": self._prune,
        }
        acts[options["act"]](options)

    def _list(self, options: dict[str, Any]) -> None:
        for job in _named(options):
            self.stdout.write(_line(job))

    def _show(self, options: dict[str, Any]) -> None:
        asked_for = Job.objects.select_related("organization", "requested_by")
        job = asked_for.filter(id=options["id"]).first()
        if job is None:
            raise CommandError(f"There is no job {options['id']}.")
        self.stdout.write(_line(job))
        for name, value in _facts(job).items():
            self.stdout.write(f"  {name:<14}{value}")
        shown: dict[str, int] = {}  # tracebacks by the attempt under which they stand
        for attempt in job.attempt_log.order_by("token"):
            ended = f"{attempt.ended_at:%H:%M:%S}" if attempt.ended_at else "..."
            self.stdout.write(
                f"  attempt {attempt.token}: {attempt.outcome} on {attempt.worker},"
                f" {attempt.started_at:%Y-%m-%d %H:%M:%S} to {ended} {attempt.error_code}"
            )
            first = shown.setdefault(attempt.error_detail, attempt.token)
            if first == attempt.token:
                self.stdout.write(attempt.error_detail, ending="")
            elif attempt.error_detail:
                self.stdout.write(f"  The traceback is that of attempt {first}.")
        for step in job.steps.order_by("id"):
            self.stdout.write(f"  step {step.name}")
        for child in job.children.order_by("id"):
            self.stdout.write(f"  child {_line(child)}")

    def _requeue(self, options: dict[str, Any]) -> None:
        options["status"] = options["status"] or JobStatus.DEAD
        requeued, refused = services.requeue_jobs(jobs=_chosen(options))
        self.stdout.write(f"{requeued} queued again, {refused} refused")
        if refused:
            raise CommandError("Only a failed, dead or cancelled job can be queued again.")

    def _cancel(self, options: dict[str, Any]) -> None:
        cancelled = 0
        for job in _chosen(options):
            try:
                services.cancel_job(job=job)
            except errors.DomainError as refusal:
                raise CommandError(f"{job.id}: {refusal.detail}") from refusal
            cancelled += 1
        self.stdout.write(f"{cancelled} cancelled")

    def _prune(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"{retention.prune(seconds=options['seconds'])} removed")


def _named(options: dict[str, Any]) -> list[Job]:
    """The jobs that the options name, newest first, without the children of others."""
    jobs = Job.objects.top_level().order_by("-created_at", "-id")
    for option, field in (
        ("status", "status"),
        ("kind", "kind"),
        ("queue", "queue"),
        ("organization", "organization_id"),
    ):
        if options[option] is not None:
            jobs = jobs.filter(**{field: options[option]})
    if options["older_than"] is not None:
        jobs = jobs.filter(created_at__lt=database_now(plus_seconds=-60 * options["older_than"]))
    return list(jobs[: options["limit"]])


def _chosen(options: dict[str, Any]) -> list[Job]:
    """Jobs by id, else those that can be acted on among the named ones.

    Raises CommandError where an id is no job's, and where nothing at all was named.
    """
    if not options["ids"]:
        named = (options["kind"], options["queue"], options["organization"])
        if options["act"] == "cancel" and not any(named):
            raise CommandError("Name ids, --kind, --queue or --organization.")
        ended = options["act"] == "requeue"
        return [job for job in _named(options) if (job.status in ENDED) == ended]
    found = Job.objects.in_bulk(options["ids"])
    missing = [str(job_id) for job_id in options["ids"] if job_id not in found]
    if missing:
        raise CommandError(f"There is no job {', '.join(missing)}.")
    return [found[job_id] for job_id in options["ids"]]


def _line(job: Job) -> str:
    note = job.error_code
    if job.status == JobStatus.RUNNING:
        note = f"{job.progress:.0%} {job_queries.shown_step(job)}"
    tries = f"{job.attempts}/{job.max_attempts}"
    shown = {"id": job.id, "status": job.status, "kind": job.kind, "created": job.created_at}
    return LINE.format(tries=tries, note=note, **shown).rstrip()


def _facts(job: Job) -> dict[str, Any]:
    """What else there is to know, without what is empty."""
    facts = {
        "queue": job.queue,
        "priority": job.priority,
        "organization": job.organization,
        "asked by": job.requested_by,
        "about": job.subject_id,
        "arguments": job.arguments,
        "due at": job.run_at,
        "started at": job.started_at,
        "ended at": job.ended_at,
        "worker": job.lease_owner,
        "lease until": job.lease_until,
        "error": job.error_message,
    }
    return {name: value for name, value in facts.items() if value not in (None, "", {})}
