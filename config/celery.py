"""The Celery app: one queue per kind of work, JSON only, one command per process.

A worker names its queues with `-Q`; the table below is the whole list, and a message for a queue
outside it is refused when it is sent. Policies live over the tasks (core/jobs/kinds.py).
"""

from __future__ import annotations

import os

from celery import Celery
from kombu.entity import Queue

from core.jobs.queues import QUEUES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("minutebook")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [Queue(name) for name in QUEUES]  # type: ignore[no-untyped-call]
app.set_default()
