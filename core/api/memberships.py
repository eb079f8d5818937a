"""`/api/v1/memberships/`."""

from __future__ import annotations

from typing import Any

from rest_framework import mixins, serializers
from rest_framework.serializers import BaseSerializer

from core.accounts import services
from core.accounts.models import Membership, Role, Team, User
from core.http.serializers import StrictModelSerializer, StrictSerializer, VisibleRelatedField
from core.http.views import ReadViewSet


class UserSerializer(StrictModelSerializer):
    """A person."""

    class Meta:
        model = User
        fields = ("id", "email", "name")
        read_only_fields = fields


class MembershipSerializer(StrictModelSerializer):
    """A person in the organization, with a role and teams."""

    user = UserSerializer(read_only=True)
    teams = serializers.PrimaryKeyRelatedField[Team](many=True, read_only=True)

    class Meta:
        model = Membership
        fields = ("id", "user", "role", "teams", "created_at", "updated_at")
        read_only_fields = ("id", "created_at", "updated_at")


class MembershipChangeSerializer(StrictSerializer):
    """Changes to a membership."""

    role = serializers.ChoiceField(choices=Role.choices, required=False)
    teams = VisibleRelatedField(queryset=Team.objects.all(), many=True, required=False)

    def to_representation(self, instance: Membership) -> Any:
        return MembershipSerializer(instance, context=self.context).data


class MembershipViewSet(mixins.UpdateModelMixin, mixins.DestroyModelMixin, ReadViewSet):
    """The members of the organization; owners and admins change and remove them.

    People join by an invitation. Anybody may leave: `DELETE /api/v1/me/memberships/{id}/`.
    """

    queryset = Membership.objects.select_related("user").prefetch_related("teams")
    scope_family = "accounts"
    serializer_class = MembershipSerializer

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        is_change = self.action == "partial_update"
        return MembershipChangeSerializer if is_change else MembershipSerializer

    def perform_update(self, serializer: Any) -> None:
        services.update_member(
            membership=serializer.instance, by=self.actor, **serializer.validated_data
        )

    def perform_destroy(self, instance: Membership) -> None:
        services.remove_member(membership=instance, by=self.actor)
