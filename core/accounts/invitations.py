"""Inviting people: a signed, single-use, expiring link that only the invited address receives.

The inviter never sees the link, because with it they could become the invited person. Known and
unknown addresses are treated alike until the link is opened, so an organization learns nothing
about people who have not joined it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction

from core import errors
from core.accounts.actor import Actor
from core.accounts.events import INVITATION_CREATED
from core.accounts.models import Invitation, Membership, Organization, Role, Team, User
from core.accounts.models.invitation import signer
from core.accounts.models.user import normal_email
from core.accounts.services import (
    AlreadyMember,
    check_may_assign,
    record_membership_event,
    set_teams,
)
from core.db.clock import database_now
from core.events import services as events
from core.security.models import Severity
from core.security.services import record_security_event

MAX_OPEN = 500  # per organization: more is a mass mailing, not a team
EXPIRED_KEPT_FOR = timedelta(days=30)


class NoMailServer(errors.Conflict):
    """Without mail the link could only be shown to the inviter, which must not happen."""

    code = "invitation.no_mail_server"
    message = (
        "This installation has no mail server, so the invitation cannot be sent. "
        "Its operator can print a link with `manage.py invitation`."
    )


class TooManyInvitations(errors.Conflict):
    """An organization has a bounded number of open invitations."""

    code = "invitation.too_many"
    message = "Too many invitations are open. Withdraw some first."


class InvitationUnusable(errors.NotFound):
    """The link is not one of ours, or it was used, withdrawn, replaced or has expired."""

    code = "invitation.unusable"
    message = "This invitation is not valid. It may have been used, withdrawn or have expired."


def check_mail_server() -> None:
    """Raise NoMailServer where letters are thrown away."""
    if settings.EMAIL_BACKEND == "django.core.mail.backends.dummy.EmailBackend":
        raise NoMailServer


@transaction.atomic
def create_invitation(
    *,
    organization: Organization,
    email: str,
    role: Role = Role.MEMBER,
    teams: Iterable[Team] = (),
    by: Actor | None = None,
) -> Invitation:
    """Invite an address; an earlier open invitation of the same address is replaced.

    The mail follows by the event. Without `by` an operator invites. Raises AlreadyMember,
    RoleAboveYours, ForeignTeam or TooManyInvitations.
    """
    check_may_assign(by, role)
    address = normal_email(email)
    # One invitation at a time per organization: the limit and the replacement need a stable view.
    Organization.objects.select_for_update().get(pk=organization.pk)
    if Membership.objects.filter(organization=organization, user__email=address).exists():
        raise AlreadyMember
    pending = Invitation.objects.filter(organization=organization, accepted_at=None)
    pending.filter(email=address).delete()
    if pending.count() >= MAX_OPEN:
        raise TooManyInvitations
    invitation: Invitation = Invitation.objects.create(
        organization=organization,
        email=address,
        role=role,
        invited_by=by.user if by else None,
        expires_at=database_now(plus_seconds=settings.INVITATION_VALID_SECONDS),
    )
    set_teams(invitation, teams)
    if by is not None:  # an operator hands the printed link over in person
        events.publish(
            INVITATION_CREATED,
            organization_id=organization.pk,
            data={"invitation_id": str(invitation.id)},
            actor_id=by.user.pk,
        )
    _record("invitation.created", invitation, user_id=by.user.pk if by else None)
    return invitation


@transaction.atomic
def withdraw_invitation(*, invitation: Invitation, by: Actor) -> None:
    """Delete it; its link stops working at once."""
    _record("invitation.withdrawn", invitation, user_id=by.user.pk)
    invitation.delete()


def open_invitation(token: str) -> Invitation:
    """The invitation of a link, with its organization. Raises InvitationUnusable."""
    try:
        invitation_id = signer().unsign(token)
    except signing.BadSignature as error:
        raise InvitationUnusable from error
    found: Invitation | None = (
        Invitation.objects.select_related("organization")
        .filter(id=invitation_id, accepted_at=None, expires_at__gt=database_now())
        .first()
    )
    if found is None:
        raise InvitationUnusable
    return found


def invited_user(invitation: Invitation) -> User | None:
    """The person who already signs in with the invited address.

    Somebody without a password is not asked for one: opening the mailed link proves the address.
    """
    user = User.objects.filter(email=invitation.email).first()
    return user if user is not None and user.has_usable_password() else None


@transaction.atomic
def accept_as_new_user(*, token: str, name: str, password: str) -> Membership:
    """Make the invited person's account and membership. Raises InvitationUnusable."""
    invitation = _lock(token)
    if invited_user(invitation) is not None:  # made by another tab meanwhile: that one signs in
        raise InvitationUnusable
    user = User.objects.filter(email=invitation.email).first() or User(email=invitation.email)
    user.name = name
    user.set_password(password)
    user.save()
    return _join(invitation, user)


@transaction.atomic
def accept_invitation(*, token: str, user: User) -> Membership:
    """Make the signed-in person a member. Raises InvitationUnusable for another's invitation."""
    invitation = _lock(token)
    if invitation.email != user.email:
        raise InvitationUnusable
    return _join(invitation, user)


def delete_expired_invitations() -> int:
    """Delete those that expired a while ago: addresses of people who never joined are not kept."""
    horizon = database_now() - EXPIRED_KEPT_FOR
    deleted, _by_model = Invitation.objects.filter(expires_at__lt=horizon).delete()
    return deleted


def _lock(token: str) -> Invitation:
    """The usable invitation, held so that a second acceptance waits and then finds it used."""
    found = open_invitation(token)
    Invitation.objects.select_for_update().filter(id=found.id).first()
    return open_invitation(token)


def _join(invitation: Invitation, user: User) -> Membership:
    membership, created = Membership.objects.get_or_create(
        organization=invitation.organization, user=user, defaults={"role": invitation.role}
    )
    if created:
        membership.teams.set(invitation.teams.all())
        invited_by = invitation.invited_by_id
        record_membership_event(
            membership, "membership.created", invited_by, {"role": str(membership.role)}
        )
    invitation.accepted_at = database_now()
    invitation.save(update_fields=["accepted_at"])
    _record("invitation.accepted", invitation, user_id=user.pk)
    return membership


def _record(kind: str, invitation: Invitation, *, user_id: uuid.UUID | None) -> None:
    record_security_event(
        kind=kind,
        severity=Severity.INFO,
        organization_id=invitation.organization_id,
        user_id=user_id,
        data={"invitation": str(invitation.pk), "role": str(invitation.role)},
        outlives_rollback=False,
    )
