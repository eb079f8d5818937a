"""Meetings over HTTP."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.serializers import BaseSerializer

from core.db.clock import database_now
from core.http.views import ModelViewSet
from meetings import queries
from meetings.api.filters import MeetingFilter
from meetings.api.serializers import MeetingDetailSerializer, MeetingSerializer
from meetings.models import Meeting
from meetings.services import meetings as meeting_services


class MeetingViewSet(ModelViewSet):
    """Meetings that you may see, newest first."""

    queryset = Meeting.objects.all()
    scope_family = "meetings"
    filterset_class = MeetingFilter

    def get_queryset(self) -> QuerySet[Any]:
        visible = super().get_queryset()
        return queries.with_people(visible) if self.action == "list" else queries.whole(visible)

    def get_serializer_context(self) -> dict[str, Any]:
        context = {**super().get_serializer_context()}
        if self.action == "retrieve":  # its recordings have links, which end by this clock
            context["moment"] = database_now()
        return context

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return MeetingDetailSerializer if self.action == "retrieve" else MeetingSerializer

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.instance = meeting_services.create_meeting(
            actor=self.actor, **serializer.validated_data
        )

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        meeting: Any = serializer.instance
        serializer.instance = meeting_services.update_meeting(
            actor=self.actor, meeting=meeting, **serializer.validated_data
        )

    def perform_destroy(self, instance: Meeting) -> None:
        meeting_services.delete_meeting(actor=self.actor, meeting=instance)
