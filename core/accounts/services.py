"""Everything that writes people, organizations and keys."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from core import errors
from core.accounts import api_key_cache
from core.accounts.actor import Actor
from core.accounts.models import ApiKey, Invitation, Membership, Organization, Role, Team, User
from core.accounts.models.api_key import KeyText, hash_secret
from core.accounts.scopes import EVERYTHING, known_scopes
from core.db.clock import database_now
from core.security.models import Severity
from core.security.services import record_security_event


class LastOwner(errors.Conflict):
    """An organization always has an owner."""

    code = "organization.last_owner"
    message = "An organization needs an owner. Make somebody else an owner first."


class AlreadyMember(errors.Conflict):
    """The person belongs to the organization already."""

    code = "membership.exists"
    message = "This person is a member already."


class RoleAboveYours(errors.NotAllowed):
    """Nobody hands out, changes or removes a role above their own."""

    code = "role.above_yours"
    message = "That role is above your own."


class ScopeAboveYours(errors.NotAllowed):
    """A key cannot make a key that may do more than itself."""

    code = "scope.above_yours"
    message = "An API key cannot be given a scope that you do not have."


class ForeignTeam(errors.Invalid):
    """A team of another organization, or none at all."""

    code = "team.unknown"
    message = "There is no such team in this organization."


class NewKey(NamedTuple):
    """A key's row and its text, which exists only here."""

    row: ApiKey
    text: str


@transaction.atomic
def create_organization(
    *, name: str, owner: User, time_zone: str = "UTC", language: str = "en"
) -> Organization:
    """A new organization with its first owner. Raises ValidationError."""
    organization = Organization(name=name, time_zone=time_zone, language=language)
    organization.full_clean()
    organization.save()
    membership = Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    record_membership_event(membership, "membership.created", owner.pk, {"role": Role.OWNER.value})
    return organization


@transaction.atomic
def update_organization(*, organization: Organization, **changes: str) -> Organization:
    """Change name, time zone or language. Raises ValidationError."""
    for name, value in changes.items():
        setattr(organization, name, value)
    organization.full_clean()
    organization.save(update_fields=[*changes, "updated_at"])
    api_key_cache.invalidate()
    return organization


@transaction.atomic
def change_role(*, membership: Membership, role: Role, by: Actor | None = None) -> Membership:
    """Give a member another role. Raises LastOwner or RoleAboveYours."""
    locked = _lock(membership)
    check_may_assign(by, role, Role(locked.role))
    if role != Role.OWNER:
        _check_not_last_owner(locked)
    before, membership.role = locked.role, role
    membership.save(update_fields=["role", "updated_at"])
    api_key_cache.invalidate()
    by_user_id = by.user.pk if by else None
    record_membership_event(
        membership, "membership.role_changed", by_user_id, {"from": before, "to": str(role)}
    )
    return membership


@transaction.atomic
def update_member(
    *,
    membership: Membership,
    role: Role | None = None,
    teams: Iterable[Team] | None = None,
    by: Actor | None = None,
) -> Membership:
    """Change role, teams or both. Raises LastOwner, RoleAboveYours or ForeignTeam."""
    if role is not None:
        change_role(membership=membership, role=Role(role), by=by)
    if teams is not None:
        set_teams(membership, teams)
    return membership


@transaction.atomic
def remove_member(*, membership: Membership, by: Actor | None = None) -> None:
    """End a membership and revoke the person's keys there. Raises LastOwner or RoleAboveYours."""
    locked = _lock(membership)
    check_may_assign(by, Role(locked.role))
    _end_membership(locked, by.user.pk if by else None)


@transaction.atomic
def leave_organization(*, membership: Membership) -> None:
    """End one's own membership, whatever the role. Raises LastOwner."""
    locked = _lock(membership)
    _end_membership(locked, locked.user_id)


def _end_membership(locked: Membership, by_user_id: uuid.UUID | None) -> None:
    _check_not_last_owner(locked)
    theirs = {"organization_id": locked.organization_id}
    keys = ApiKey.objects.filter(**theirs, user_id=locked.user_id, revoked_at=None)
    keys.update(revoked_at=database_now())
    # An invitation rests on the rights of its sender, which end here.
    open_invitations = Invitation.objects.filter(**theirs, accepted_at=None)
    open_invitations.filter(invited_by_id=locked.user_id).delete()
    record_membership_event(locked, "membership.removed", by_user_id, {"role": locked.role})
    locked.delete()
    api_key_cache.invalidate()


@transaction.atomic
def create_api_key(
    *,
    user: User,
    organization: Organization,
    name: str,
    scopes: Sequence[str] = (EVERYTHING,),
    expires_at: datetime | None = None,
    by: Actor | None = None,
) -> NewKey:
    """A key that acts for `user` in `organization`; its text is returned here and nowhere else.

    Raises Invalid for scopes or a time that make no sense, ScopeAboveYours.
    """
    _check_scopes(scopes, by)
    if expires_at is not None and expires_at <= database_now():
        raise errors.Invalid(fields={"expires_at": ["This time has passed already."]})
    text = KeyText.new()
    row = ApiKey.objects.create(
        user=user,
        organization=organization,
        name=name,
        prefix=text.prefix,
        secret_hash=hash_secret(text.secret),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    _record_key_event(row, "api_key.created")
    return NewKey(row, str(text))


@transaction.atomic
def revoke_api_key(*, api_key: ApiKey) -> ApiKey:
    """Make the key worthless everywhere at once; a revoked key stays as it is."""
    if api_key.revoked_at is None:
        api_key.revoked_at = database_now()
        api_key.save(update_fields=["revoked_at", "updated_at"])
        api_key_cache.invalidate()
        _record_key_event(api_key, "api_key.revoked")
    return api_key


def _check_scopes(scopes: Sequence[str], by: Actor | None) -> None:
    unknown = sorted(set(scopes) - set(known_scopes()))
    if unknown or not scopes:
        known = ", ".join(known_scopes())
        raise errors.Invalid(fields={"scopes": [f"Choose at least one of: {known}."]})
    if by and not all(by.has_scope(scope) for scope in scopes):
        raise ScopeAboveYours


def check_may_assign(by: Actor | None, *roles: Role) -> None:
    """Raise RoleAboveYours unless every role is at most the actor's own; operators may all."""
    if by and not all(by.has_rank_of(role) for role in roles):
        raise RoleAboveYours


def _lock(membership: Membership) -> Membership:
    """Serialise changes of who owns the organization, and read the membership as it is now."""
    Organization.objects.select_for_update().get(pk=membership.organization_id)
    return Membership.objects.get(pk=membership.pk)


def _check_not_last_owner(membership: Membership) -> None:
    """Needs the lock. Raises LastOwner."""
    if membership.role != Role.OWNER:
        return
    owners = Membership.objects.filter(organization_id=membership.organization_id, role=Role.OWNER)
    if not owners.exclude(pk=membership.pk).exists():
        raise LastOwner


def set_teams(row: Membership | Invitation, teams: Iterable[Team]) -> None:
    """Replace the teams of a membership or invitation. Raises ForeignTeam."""
    chosen = list(teams)
    if any(team.organization_id != row.organization_id for team in chosen):
        raise ForeignTeam
    row.teams.set(chosen)


def _record_key_event(api_key: ApiKey, kind: str) -> None:
    record_security_event(
        kind=kind,
        severity=Severity.INFO,
        organization_id=api_key.organization_id,
        user_id=api_key.user_id,
        data={"prefix": api_key.prefix, "scopes": api_key.scopes},
        outlives_rollback=False,
    )


def record_membership_event(
    membership: Membership, kind: str, by_user_id: uuid.UUID | None, data: dict[str, str]
) -> None:
    """Record a change of who belongs to an organization; without `by_user_id` an operator's."""
    record_security_event(
        kind=kind,
        severity=Severity.INFO,
        organization_id=membership.organization_id,
        user_id=membership.user_id,
        data={**data, "by": str(by_user_id) if by_user_id else "operator"},
        outlives_rollback=False,
    )
