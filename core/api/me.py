"""`GET /api/v1/me/`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.accounts.actor import Actor
from core.accounts.models import Membership, Role
from core.api.memberships import UserSerializer
from core.api.organizations import OrganizationSerializer
from core.http.views import ApiView


class OwnMembershipSerializer(serializers.ModelSerializer[Membership]):
    """One of the asker's own memberships."""

    organization = OrganizationSerializer(read_only=True)

    class Meta:
        model = Membership
        fields = ("id", "organization", "role")


class MeSerializer(serializers.Serializer[Any]):
    """Who asks, for which organization, and what else they belong to.

    `organization` and `role` are null for a person with several organizations who named none.
    """

    user = UserSerializer()
    organization = OrganizationSerializer(allow_null=True)
    role = serializers.ChoiceField(choices=Role.choices, allow_null=True)
    scopes = serializers.ListField(child=serializers.CharField())
    memberships = OwnMembershipSerializer(many=True)


class MeView(ApiView):
    """The asker as this server sees them."""

    scope_family = None

    @extend_schema(operation_id="me", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Who am I?"""
        actor: Actor | None = self.request.actor
        found = {
            "user": request.user,
            "organization": actor and actor.organization,
            "role": actor and actor.role,
            "scopes": sorted(actor.scopes) if actor else [],
            "memberships": _memberships_shown(request.user, actor),
        }
        return Response(MeSerializer(found).data)


def _memberships_shown(user: Any, actor: Actor | None) -> list[Membership]:
    """A person's own; to an API key only the one it acts in."""
    rows = user.memberships.select_related("organization").order_by("created_at")
    if actor and actor.api_key_id:
        rows = rows.filter(organization=actor.organization)
    return list(rows)
