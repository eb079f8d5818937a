"""The installation: settings, URLs, the Celery app and the local service starter."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
