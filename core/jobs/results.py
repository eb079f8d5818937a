"""Where Celery puts the results of tasks: django-celery-results, whose writes never raise."""

from __future__ import annotations

from typing import Any

import structlog
from django.conf import settings
from django.db import connection
from django_celery_results.backends import DatabaseBackend
from django_celery_results.models import TaskResult

from core.db.clock import database_now

log = structlog.get_logger(__name__)


class ResultBackend(DatabaseBackend):
    """Writes a result or logs why not.

    A worker's main process writes what became of an expired, revoked or overlong task. An error
    there would end it for good, and leave its queues to nobody.
    """

    def store_result(self, task_id: str, result: Any, state: str, *given: Any, **named: Any) -> Any:
        """The result as it is written, also when it could not be."""
        try:
            return super().store_result(task_id, result, state, *given, **named)
        except Exception:
            log.exception("result.not_written", task_id=task_id, state=state)
            connection.close()
            return result


def prune() -> int:
    """Delete results that are older than CELERY_RESULT_EXPIRES; how many there were."""
    horizon = database_now(plus_seconds=-settings.CELERY_RESULT_EXPIRES)
    return TaskResult.objects.filter(date_done__lt=horizon).delete()[0]
