"""Where the pages answer, under /api/docs/."""

from __future__ import annotations

from django.urls import path

from webhooks.pages.receivers import receivers

urlpatterns = [path("webhooks/", receivers, name="webhook-docs")]
