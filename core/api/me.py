"""`/api/v1/me/`: the person, and leaving an organization."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.accounts import services
from core.accounts.actor import Actor, ScopeMissing
from core.accounts.models import Membership, Role
from core.api.memberships import UserSerializer
from core.api.organizations import OrganizationSerializer
from core.http.views import ApiView


class OwnMembershipSerializer(serializers.ModelSerializer[Membership]):
    """A membership of the person."""

    organization = OrganizationSerializer(read_only=True)

    class Meta:
        model = Membership
        fields = ("id", "organization", "role")


class MeSerializer(serializers.Serializer[Any]):
    """The person, the organization acted for, and all memberships.

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
        """Read who is signed in, and what this request may do."""
        actor: Actor | None = self.request.actor
        found = {
            "user": request.user,
            "organization": actor and actor.organization,
            "role": actor and actor.role,
            "scopes": sorted(actor.scopes) if actor else [],
            "memberships": _memberships_shown(request.user, actor),
        }
        return Response(MeSerializer(found).data)


class OwnMembershipView(ApiView):
    """One of the asker's own memberships."""

    scope_family = None

    @extend_schema(operation_id="me_memberships_destroy", responses={204: None})
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Leave an organization. Your API keys there stop working.

        An API key needs the scope `accounts:write`, and can only leave its own organization.
        """
        actor: Actor | None = self.request.actor
        if actor is not None and not actor.has_scope("accounts:write"):
            raise ScopeMissing
        membership = get_object_or_404(_memberships_shown(request.user, actor), pk=pk)
        services.leave_organization(membership=membership)
        return Response(status=204)


def _memberships_shown(user: Any, actor: Actor | None) -> QuerySet[Membership]:
    """A person's own; to an API key only the one it acts in."""
    rows: QuerySet[Membership] = user.memberships.select_related("organization")
    if actor and actor.api_key_id:
        rows = rows.filter(organization=actor.organization)
    return rows.order_by("created_at")
