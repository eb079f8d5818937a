"""`/api/v1/organizations/`."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer

from core import errors
from core.accounts import services
from core.accounts.actor import Actor
from core.accounts.models import Organization
from core.http.serializers import StrictModelSerializer
from core.http.views import ReadViewSet


class PersonOnly(errors.NotAllowed):
    """Only a signed-in person may do this, not an API key."""

    code = "organization.person_only"
    message = "An API key belongs to one organization. Sign in to create another."


class OrganizationSerializer(StrictModelSerializer):
    """An organization as its members see it."""

    class Meta:
        model = Organization
        fields = ("id", "name", "time_zone", "language", "created_at", "updated_at")
        read_only_fields = ("id", "created_at", "updated_at")


class OrganizationViewSet(mixins.CreateModelMixin, mixins.UpdateModelMixin, ReadViewSet):
    """All organizations of a signed-in person, or the one of an API key."""

    queryset = Organization.objects.all()
    serializer_class = OrganizationSerializer
    scope_family = None
    required_scopes = {"partial_update": "accounts:write"}

    def get_queryset(self) -> QuerySet[Organization]:
        actor: Actor | None = getattr(self.request, "actor", None)
        is_key = actor is not None and actor.api_key_id is not None
        if is_key or self.action == "partial_update" or hasattr(self, "swagger_fake_view"):
            return super().get_queryset()
        return Organization.objects.joined_by(self.request.user)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Create an organization and become its owner. Not for API keys."""
        actor: Actor | None = self.request.actor
        if actor is not None and actor.api_key_id is not None:
            raise PersonOnly
        return super().create(request, *args, **kwargs)

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.instance = services.create_organization(
            **serializer.validated_data, owner=self.request.user
        )

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Change the organization acted for. For owners and admins."""
        return super().partial_update(request, *args, **kwargs)

    def perform_update(self, serializer: Any) -> None:
        services.update_organization(organization=serializer.instance, **serializer.validated_data)
