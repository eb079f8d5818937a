"""`/api/v1/memberships/`."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import BaseSerializer

from core.accounts import services
from core.accounts.models import Membership, Role, Team, User
from core.http.serializers import StrictModelSerializer, StrictSerializer, VisibleRelatedField
from core.http.views import ModelViewSet


class UserSerializer(StrictModelSerializer):
    """A person as the members of the organization see them."""

    class Meta:
        model = User
        fields = ("id", "email", "name")
        read_only_fields = fields


class MembershipSerializer(StrictModelSerializer):
    """A person's place in the organization."""

    user = UserSerializer(read_only=True)
    teams = serializers.PrimaryKeyRelatedField[Team](many=True, read_only=True)

    class Meta:
        model = Membership
        fields = ("id", "user", "role", "teams", "created_at", "updated_at")
        read_only_fields = ("id", "created_at", "updated_at")


class NewMemberSerializer(StrictSerializer):
    """Whom to add; `name` is used only for somebody this server does not know yet."""

    email = serializers.EmailField()
    name = serializers.CharField(max_length=200, required=False, default="")
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER)
    teams = VisibleRelatedField(queryset=Team.objects.all(), many=True, required=False, default=())

    def to_representation(self, instance: Membership) -> Any:
        return MembershipSerializer(instance, context=self.context).data


class MembershipChangeSerializer(StrictSerializer):
    """What of a membership can be changed."""

    role = serializers.ChoiceField(choices=Role.choices, required=False)
    teams = VisibleRelatedField(queryset=Team.objects.all(), many=True, required=False)

    def to_representation(self, instance: Membership) -> Any:
        return MembershipSerializer(instance, context=self.context).data


class MembershipViewSet(ModelViewSet):
    """The members of the organization; owners and admins add, change and remove them."""

    queryset = Membership.objects.select_related("user").prefetch_related("teams")
    scope_family = "accounts"
    serializer_class = MembershipSerializer
    serializers_for = {
        "create": NewMemberSerializer,
        "partial_update": MembershipChangeSerializer,
    }

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return self.serializers_for.get(self.action, self.serializer_class)

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        asked = dict(serializer.validated_data)
        serializer.instance = services.add_member(
            **{**asked, "role": Role(asked["role"])},
            organization=self.actor.organization,
            by=self.actor,
        )

    def perform_update(self, serializer: Any) -> None:
        services.update_member(
            membership=serializer.instance, by=self.actor, **serializer.validated_data
        )

    def perform_destroy(self, instance: Membership) -> None:
        services.remove_member(membership=instance, by=self.actor)
