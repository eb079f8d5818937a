"""`/api/v1/invitations/`."""

from __future__ import annotations

from typing import Any

from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from core.accounts import invitations
from core.accounts.models import Invitation, Role, Team
from core.http.serializers import StrictModelSerializer, VisibleRelatedField
from core.http.views import ReadViewSet


class InvitationSerializer(StrictModelSerializer):
    """An invitation. Its link goes to the invited address by e-mail only."""

    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER)
    teams = VisibleRelatedField(queryset=Team.objects.all(), many=True, required=False)

    class Meta:
        model = Invitation
        fields = (
            "id", "email", "role", "teams", "invited_by", "expires_at", "accepted_at", "created_at",
        )  # fmt: skip
        read_only_fields = ("id", "invited_by", "expires_at", "accepted_at", "created_at")


class InvitationViewSet(mixins.CreateModelMixin, mixins.DestroyModelMixin, ReadViewSet):
    """Invitations of the organization. For owners and admins."""

    queryset = Invitation.objects.prefetch_related("teams")
    scope_family = "accounts"
    serializer_class = InvitationSerializer

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Invite a person by e-mail.

        The link works once and goes to that address only. A second invitation of an address
        replaces the first. The answer does not depend on whether the address is known here.
        """
        return super().create(request, *args, **kwargs)

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
