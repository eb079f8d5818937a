"""The shapes of people in meetings."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.accounts.models import User

PARTS = [("organizer", "organizer"), ("speaker", "speaker")]


class PersonSerializer(serializers.ModelSerializer[User]):
    """A user as others in the organization see one."""

    class Meta:
        model = User
        fields = ("id", "name", "email")


class ParticipantSerializer(serializers.Serializer[Any]):
    """Somebody who took part: the organizer, or a speaker under the label of the transcript."""

    name = serializers.CharField()
    part = serializers.ChoiceField(choices=PARTS)
    user = serializers.UUIDField(allow_null=True)
