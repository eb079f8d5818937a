"""What a person was told, and what each wants to be told."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from core.db.rows import OrganizationModel, OrganizationModelQuerySet


class PersonalQuerySet(OrganizationModelQuerySet):
    """Rows of one person in one organization; not even its owner reads them."""

    def visible_to(self, actor: Any) -> Self:
        """The actor's own rows in the actor's organization."""
        return super().visible_to(actor).filter(user=actor.user)


class NotificationQuerySet(PersonalQuerySet):
    def visible_to(self, actor: Any) -> Self:
        """The actor's own, without those that were wanted by e-mail alone."""
        return super().visible_to(actor).filter(is_listed=True)

    def unread(self) -> Self:
        return self.filter(read_at=None)


class Notification(OrganizationModel):
    """Something a person was told; `dedup_key` keeps it from being told twice.

    `subject_id` is what it is about: a job, an export. `wants_email` until `emailed_at` says that
    the e-mail is still owed.
    """

    user = models.ForeignKey("core.User", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=300)
    text = models.TextField(blank=True)
    subject_id = models.UUIDField(null=True, blank=True)
    dedup_key = models.CharField(max_length=200)
    is_listed = models.BooleanField(default=True)
    wants_email = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True, blank=True)
    emailed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = NotificationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "user", "kind", "dedup_key"), name="notification_once"
            ),
        )
        indexes = (
            models.Index(
                fields=("organization", "user", "-created_at", "-id"), name="notification_newest"
            ),
            models.Index(
                fields=("organization", "user", "-created_at", "-id"),
                name="notification_unread",
                condition=Q(read_at=None, is_listed=True),
            ),
            models.Index(fields=("subject_id",), name="notification_subject"),
            models.Index(fields=("created_at",), name="notification_age"),
        )

    def __str__(self) -> str:
        return self.title


class NotificationPreference(OrganizationModel):
    """How a person wants to be told of one kind; without a row: in both ways."""

    user = models.ForeignKey("core.User", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=60)
    in_app = models.BooleanField(default=True)
    email = models.BooleanField(default=True)

    objects: ClassVar[Any] = PersonalQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "user", "kind"), name="notification_preference_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"
