"""`/api/v1/teams/` and the members of a team."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from core.accounts.models import Membership, Team
from core.api.memberships import MembershipSerializer
from core.http.filters import PAGING
from core.http.serializers import StrictModelSerializer, StrictSerializer, VisibleRelatedField
from core.http.views import ModelViewSet


class TeamSerializer(StrictModelSerializer):
    """A team."""

    member_count = serializers.IntegerField(read_only=True, default=0)

    class Meta:
        model = Team
        fields = ("id", "name", "member_count", "created_at", "updated_at")
        read_only_fields = ("id", "created_at", "updated_at")

    def validate_name(self, name: str) -> str:
        """Refuse a name that another team of the organization has, in whatever case."""
        same = Team.objects.visible_to(self.context["request"].actor).filter(name__iexact=name)
        if same.exclude(pk=getattr(self.instance, "pk", None)).exists():
            raise serializers.ValidationError("There is a team of this name already.")
        return name


class TeamMemberSerializer(StrictSerializer):
    """The membership that joins a team."""

    membership = VisibleRelatedField(queryset=Membership.objects.all())


class TeamViewSet(ModelViewSet):
    """The teams of the organization."""

    queryset = Team.objects.all()
    serializer_class = TeamSerializer
    scope_family = "accounts"
    query_parameters = {"members": tuple(sorted(PAGING))}

    def get_queryset(self) -> QuerySet[Team]:
        return super().get_queryset().annotate(member_count=_members_counted())

    def perform_create(self, serializer: Any) -> None:
        super().perform_create(serializer)
        serializer.instance.member_count = 0

    @extend_schema(
        methods=["GET"],
        operation_id="teams_members_list",
        summary="List the members of a team",
        responses=MembershipSerializer(many=True),
    )
    @extend_schema(
        methods=["POST"],
        operation_id="teams_members_create",
        summary="Add a member to a team",
        request=TeamMemberSerializer,
        responses={201: MembershipSerializer},
    )
    @action(detail=True, methods=["get", "post"], serializer_class=MembershipSerializer)
    def members(self, request: Request, pk: str) -> Response:
        """The members of a team."""
        team = self.get_object()
        if request.method == "POST":
            return self._join(team, request)
        rows = team.members.select_related("user").prefetch_related("teams")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def _join(self, team: Team, request: Request) -> Response:
        asked = TeamMemberSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        membership: Membership = asked.validated_data["membership"]
        membership.teams.add(team)
        return Response(self.get_serializer(membership).data, status=201)

    @extend_schema(
        operation_id="teams_members_destroy",
        parameters=[OpenApiParameter("membership_id", uuid.UUID, OpenApiParameter.PATH)],
        responses={204: None},
    )
    @action(detail=True, methods=["delete"], url_path="members/<str:membership_id>")
    def leave(self, request: Request, pk: str, membership_id: str) -> Response:
        """Remove a member from a team."""
        team = self.get_object()
        membership = _member_of(team, membership_id)
        membership.teams.remove(team)
        return Response(status=204)


def _members_counted() -> Coalesce:
    """One small count for each row shown; a join would group every team before the page is cut."""
    members: Any = Membership.teams.through.objects.filter(team=OuterRef("pk"))
    counted = members.order_by().values("team").annotate(n=Count("*")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _member_of(team: Team, membership_id: str) -> Membership:
    """The member, or a 404 for an id of another team, of nothing, or of no shape at all."""
    return get_object_or_404(team.members.all(), pk=membership_id)
