"""`/api/v1/notifications/` and `/api/v1/notification-preferences/`: what a person is told."""

from __future__ import annotations

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core import errors
from core.http.filters import TruthFilter
from core.http.serializers import StrictBooleanField, StrictModelSerializer, StrictSerializer
from core.http.views import ApiView, ReadViewSet
from core.notifications import queries, services
from core.notifications.kinds import kind_of
from core.notifications.models import Notification, NotificationPreference


class NotificationSerializer(StrictModelSerializer):
    """A message to a person."""

    class Meta:
        model = Notification
        fields = ("id", "kind", "title", "text", "subject_id", "read_at", "created_at")
        read_only_fields = fields


class ReadSerializer(StrictSerializer):
    """Marks a notification as read or unread."""

    is_read = StrictBooleanField()


class NothingSerializer(StrictSerializer):
    """An empty object, or no body at all."""


class CountSerializer(StrictSerializer):
    """How many were unread."""

    marked = serializers.IntegerField(read_only=True)


class NotificationFilter(django_filters.FilterSet):
    kind = django_filters.CharFilter()
    unread = TruthFilter(field_name="read_at", lookup_expr="isnull")

    class Meta:
        model = Notification
        fields: tuple[str, ...] = ()


class NotificationViewSet(ReadViewSet):
    """Your notifications in this organization, newest first."""

    queryset = Notification.objects.all()
    serializer_class = NotificationSerializer
    filterset_class = NotificationFilter
    scope_family = "notifications"

    @extend_schema(request=ReadSerializer, responses={200: NotificationSerializer})
    def partial_update(self, request: Request, pk: str) -> Response:
        """Mark a notification as read or unread."""
        asked = ReadSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = services.mark_read(notification=self.get_object(), **asked.validated_data)
        return Response(NotificationSerializer(row).data)

    @extend_schema(request=NothingSerializer, responses={200: CountSerializer})
    @action(detail=False, methods=["post"], url_path="read", filterset_class=None)
    def read(self, request: Request) -> Response:
        """Mark all notifications as read."""
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        visible: Any = self.get_queryset()
        marked = services.mark_all_read(notifications=visible)
        return Response({"marked": marked})


class PreferenceSerializer(StrictModelSerializer):
    """Whether one kind of notification is shown in the application and sent by e-mail."""

    description = serializers.SerializerMethodField()

    class Meta:
        model = NotificationPreference
        fields = ("kind", "description", "in_app", "email")
        read_only_fields = ("kind",)

    def get_description(self, row: NotificationPreference) -> str:
        kind = kind_of(row.kind)
        return kind.description if kind else ""


class PreferenceListView(ApiView):
    """What there is to be told, and how you want to be."""

    scope_family = "notifications"

    @extend_schema(
        operation_id="notification_preferences_list",
        responses={200: PreferenceSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """List the kinds of notification with your choices. Both ways are on by default."""
        rows: Any = queries.preferences_of(self.actor)
        return Response(PreferenceSerializer(rows, many=True).data)


class PreferenceView(ApiView):
    """How you want to hear of one kind."""

    scope_family = "notifications"

    @extend_schema(
        operation_id="notification_preferences_partial_update",
        request=PreferenceSerializer,
        responses={200: PreferenceSerializer},
    )
    def patch(self, request: Request, kind: str) -> Response:
        """Choose where a kind of notification is sent."""
        known = kind_of(kind)
        if known is None:
            raise errors.NotFound
        asked = PreferenceSerializer(data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        chosen = {name: asked.validated_data.get(name) for name in ("in_app", "email")}
        row = services.choose(actor=self.actor, kind=known, **chosen)
        return Response(PreferenceSerializer(row).data)
