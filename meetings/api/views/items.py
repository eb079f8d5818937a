"""Decisions and action items across meetings, over HTTP."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import UpdateModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from core.http.views import ReadViewSet
from meetings import queries
from meetings.api.filters import ActionItemFilter, DecisionFilter
from meetings.api.items import (
    ActionItemChangeSerializer,
    ActionItemSerializer,
    DecisionChangeSerializer,
    DecisionSerializer,
)
from meetings.models import ActionItem, Decision
from meetings.services import items as item_services


class DecisionViewSet(UpdateModelMixin, ReadViewSet):
    """Decisions of all meetings that you may see, newest first."""

    queryset = Decision.objects.all()
    scope_family = "meetings"
    filterset_class = DecisionFilter

    def get_queryset(self) -> QuerySet[Any]:
        return queries.with_evidence(super().get_queryset().select_related("meeting"))

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        changing = self.action == "partial_update"
        return DecisionChangeSerializer if changing else DecisionSerializer

    @extend_schema(responses=DecisionSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Confirm, dismiss or edit a decision.

        A new text makes it `edited`, and cannot be combined with the status `draft` (400
        `item.words_are_no_draft`).
        """
        return super().partial_update(request, *args, **kwargs)

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        decision: Any = serializer.instance
        changed = item_services.update_decision(
            actor=self.actor, decision=decision, **serializer.validated_data
        )
        serializer.instance = self.get_queryset().get(id=changed.id)


class ActionItemViewSet(UpdateModelMixin, ReadViewSet):
    """Action items of all meetings that you may see, newest first."""

    queryset = ActionItem.objects.all()
    scope_family = "meetings"
    filterset_class = ActionItemFilter

    def get_queryset(self) -> QuerySet[Any]:
        return queries.with_evidence(super().get_queryset().select_related("meeting", "owner"))

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        changing = self.action == "partial_update"
        return ActionItemChangeSerializer if changing else ActionItemSerializer

    @extend_schema(responses=ActionItemSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Assign, confirm, dismiss, edit or complete an action item.

        A completed item cannot be a draft (409 `item.done_is_no_draft`), nor can one with a new
        text (400 `item.words_are_no_draft`).
        """
        return super().partial_update(request, *args, **kwargs)

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        action_item: Any = serializer.instance
        changed = item_services.update_action_item(
            actor=self.actor, action_item=action_item, **serializer.validated_data
        )
        serializer.instance = self.get_queryset().get(id=changed.id)
