"""Who belongs to what, and as what."""

from __future__ import annotations

from django.db import models

from core.db.rows import OrganizationModel


class Role(models.TextChoices):
    """What a member may do; each role may do what the ones after it may."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"

    @property
    def rank(self) -> int:
        """Higher may do more."""
        return len(Role) - list(Role).index(self)


class Membership(OrganizationModel):
    """A person's place in an organization and in some of its teams."""

    organization = models.ForeignKey(
        "core.Organization", on_delete=models.CASCADE, related_name="memberships"
    )
    user = models.ForeignKey("core.User", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    teams = models.ManyToManyField("core.Team", blank=True, related_name="members")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "organization"), name="membership_of_user"),
        )
        indexes = (
            models.Index(fields=("organization", "-created_at", "-id"), name="membership_page"),
        )

    def __str__(self) -> str:
        return f"{self.role} {self.id}"
