"""The shapes of people in meetings."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.accounts.models import User
from core.accounts.models.user import normal_email
from core.http.serializers import StrictModelSerializer
from meetings.models import Participant

PARTS = [(part, part) for part in ("organizer", "participant", "speaker")]
MOST_PARTICIPANTS = 200


class PersonSerializer(serializers.ModelSerializer[User]):
    """A person."""

    class Meta:
        model = User
        fields = ("id", "name", "email")


class PersonInMeetingSerializer(serializers.Serializer[Any]):
    """The organizer, a participant, or a speaker with the label of the transcript."""

    name = serializers.CharField()
    part = serializers.ChoiceField(choices=PARTS)
    user = serializers.UUIDField(source="user_id", allow_null=True)


class ParticipantListSerializer(serializers.ListSerializer[Any]):
    """The participants of a meeting; no two of them have the same address."""

    def validate(self, attrs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        emails = [row["email"] for row in attrs if row.get("email")]
        if len(emails) != len(set(emails)):
            raise serializers.ValidationError("Two participants have the same e-mail address.")
        return attrs


class ParticipantSerializer(StrictModelSerializer):
    """A participant; `user` is the member with that e-mail address."""

    user = serializers.UUIDField(source="user_id", read_only=True, allow_null=True)

    class Meta:
        model = Participant
        fields = ("name", "email", "role", "user")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "name" not in attrs:  # DRF requires no field of a row inside a PATCH
            raise serializers.ValidationError({"name": "Every participant has a name."})
        return attrs

    def validate_email(self, email: str) -> str:
        return normal_email(email)
