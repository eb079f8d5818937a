"""`/api/v1/invitations/`."""

from __future__ import annotations

from typing import Any

from rest_framework import mixins, serializers
from rest_framework.serializers import BaseSerializer

from core.accounts import invitations
from core.accounts.models import Invitation, Role, Team
from core.http.serializers import StrictModelSerializer, VisibleRelatedField
from core.http.views import ReadViewSet


class InvitationSerializer(StrictModelSerializer):
    """An invitation as the organization's admins see it: never with its link."""

    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER)
    teams = VisibleRelatedField(queryset=Team.objects.all(), many=True, required=False)

    class Meta:
        model = Invitation
        fields = (
            "id", "email", "role", "teams", "invited_by", "expires_at", "accepted_at", "created_at",
        )  # fmt: skip
        read_only_fields = ("id", "invited_by", "expires_at", "accepted_at", "created_at")


class InvitationViewSet(mixins.CreateModelMixin, mixins.DestroyModelMixin, ReadViewSet):
    """Invitations of the organization; the link goes to the invited address by mail only.

    The answer is the same whether or not this installation knows the address. A second invitation
    of an address replaces the first.
    """

    queryset = Invitation.objects.prefetch_related("teams")
    scope_family = "accounts"
    serializer_class = InvitationSerializer

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        invitations.check_mail_server()
        given = serializer.validated_data
        serializer.instance = invitations.create_invitation(
            **{**given, "role": Role(given["role"])},
            organization=self.actor.organization,
            by=self.actor,
        )

    def perform_destroy(self, instance: Invitation) -> None:
        invitations.withdraw_invitation(invitation=instance, by=self.actor)
