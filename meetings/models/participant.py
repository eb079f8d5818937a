"""People who are given with a meeting."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from core.accounts.visibility import TeamLimitedQuerySet
from core.db.rows import OrganizationModel


class ParticipantRole(models.TextChoices):
    ORGANIZER = "organizer"
    PRESENTER = "presenter"
    ATTENDEE = "attendee"
    OPTIONAL = "optional"


class ParticipantQuerySet(TeamLimitedQuerySet):
    team_path = "meeting__team"


class Participant(OrganizationModel):
    """A person who was invited to a meeting or took part.

    `user` is the member of the organization with that e-mail address, if there is one. A user who
    is no member is never named: the organization would learn that the address has an account.
    """

    meeting = models.ForeignKey(
        "meetings.Meeting", on_delete=models.CASCADE, related_name="participants", db_index=False
    )
    user = models.ForeignKey(
        "core.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    role = models.CharField(
        max_length=10, choices=ParticipantRole, default=ParticipantRole.ATTENDEE
    )

    objects: ClassVar[Any] = ParticipantQuerySet.as_manager()

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("meeting", "position"), name="participant_position"),
            models.UniqueConstraint(
                fields=("meeting", "email"), condition=~Q(email=""), name="participant_email"
            ),
        )

    def __str__(self) -> str:
        return f"participant {self.id}"
