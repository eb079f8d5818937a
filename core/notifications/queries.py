"""How people read what they were told and what they chose."""

from __future__ import annotations

from core.accounts.actor import Actor
from core.accounts.models import Invitation
from core.notifications.kinds import kinds
from core.notifications.models import Notification, NotificationPreference


def preferences_of(actor: Actor) -> list[NotificationPreference]:
    """One for every declared kind, by name; those never chosen as they are without a row."""
    own = NotificationPreference.objects.visible_to(actor)
    chosen = {row.kind: row for row in own}
    return [chosen.get(kind.name) or NotificationPreference(kind=kind.name) for kind in kinds()]


def notification_for_work(notification_id: str) -> Notification:
    """A notification with its person. Raises Notification.DoesNotExist once it is gone."""
    return Notification.objects.select_related("user").get(id=notification_id)


def invitation_for_work(invitation_id: str) -> Invitation:
    """An open invitation with its organization. Raises Invitation.DoesNotExist once it is gone."""
    invitations = Invitation.objects.select_related("organization", "invited_by")
    return invitations.get(id=invitation_id, accepted_at=None)
