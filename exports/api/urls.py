"""Where exports answer, under /api/v1/."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from exports.api.views import ExportFile, ExportViewSet

router = SimpleRouter()
router.register("exports", ExportViewSet, basename="export")

urlpatterns = [
    path("exports/<uuid:export_id>/file/<str:token>/", ExportFile.as_view(), name="export-file"),
    *router.urls,
]
