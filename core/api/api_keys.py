"""`/api/v1/api-keys/`."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.accounts import services
from core.accounts.models import ApiKey
from core.accounts.scopes import EVERYTHING
from core.http.serializers import DateTimeField, StrictModelSerializer, StrictSerializer
from core.http.views import ReadViewSet


class ApiKeySerializer(StrictModelSerializer):
    """An API key, without its text."""

    class Meta:
        model = ApiKey
        fields = (
            "id",
            "name",
            "prefix",
            "user",
            "scopes",
            "expires_at",
            "revoked_at",
            "last_used_at",
            "created_at",
        )
        read_only_fields = fields


class NewApiKeySerializer(StrictSerializer):
    """A new API key."""

    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=40),
        min_length=1,
        max_length=50,
        default=[EVERYTHING],
        help_text="`*` for everything that the person may do, or a choice such as `meetings:read`.",
    )
    expires_at = DateTimeField(required=False, allow_null=True, default=None)


class CreatedApiKeySerializer(ApiKeySerializer):
    """A new API key, with its text."""

    key = serializers.CharField(
        read_only=True,
        allow_null=True,
        help_text="Shown once. Null when the answer is repeated for an Idempotency-Key.",
    )

    class Meta:
        model = ApiKey
        fields = (*ApiKeySerializer.Meta.fields, "key")
        read_only_fields = fields


class ApiKeyViewSet(mixins.DestroyModelMixin, ReadViewSet):
    """Owners and admins see all keys of the organization, others their own."""

    queryset = ApiKey.objects.all()
    serializer_class = ApiKeySerializer
    scope_family = "accounts"
    unkept_fields = ("key",)

    @extend_schema(request=NewApiKeySerializer, responses={201: CreatedApiKeySerializer})
    def create(self, request: Request) -> Response:
        """Create an API key that acts for you. Only this answer shows its text."""
        asked = NewApiKeySerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        made = services.create_api_key(
            **asked.validated_data,
            user=self.actor.user,
            organization=self.actor.organization,
            by=self.actor,
        )
        shown = {**ApiKeySerializer(made.row).data, "key": made.text}
        return Response(shown, status=201)

    def perform_destroy(self, instance: ApiKey) -> None:
        """Revoke; the row stays, so that it can be seen who used what until when."""
        services.revoke_api_key(api_key=instance)
