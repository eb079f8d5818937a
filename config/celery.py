"""The Celery app: one queue per kind of work, JSON only, one command per process.

A worker names its queues with `-Q`; the table below is the whole list, and a message for a queue
outside it is refused when it is sent. Policies live over the tasks (core/jobs/kinds.py).
"""

from __future__ import annotations

import os

from celery import Celery
from django.conf import settings
from kombu.entity import Queue

from core.jobs.queues import QUEUES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("minutebook")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [Queue(name) for name in QUEUES]  # type: ignore[no-untyped-call]
# Beat only strikes. What is due, and what was asked for, the database knows (core/jobs/clock.py).
app.conf.beat_schedule = {
    "clock": {
        "task": "core.strike_clock",
        "schedule": settings.CLOCK_PERIOD_SECONDS,
        "options": {"queue": "default", "expires": settings.CLOCK_PERIOD_SECONDS},
    }
}
app.set_default()
