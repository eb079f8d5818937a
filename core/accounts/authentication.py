"""From a request to an Actor: an API key, or a session with one organization named."""

from __future__ import annotations

import copy
import hashlib
import math
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Now
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from rest_framework import authentication
from rest_framework.request import Request

from core import errors
from core.accounts import api_key_cache
from core.accounts.actor import Actor
from core.accounts.models import ApiKey, Membership, Role, User
from core.accounts.models.api_key import KeyText
from core.http.address import client_ip
from core.security.services import record_security_event

ORGANIZATION_HEADER = "X-Organization"
USED_EVERY = timedelta(minutes=1)


class KeyRefused(errors.NotSignedIn):
    """The API key is malformed, unknown, revoked or expired; which of these, only the log tells."""

    code = "api_key.refused"
    message = "This API key is not valid. It may have been revoked or have expired."


class OrganizationNotFound(errors.NotFound):
    """X-Organization names none of the asker's organizations."""

    code = "organization.not_found"
    message = "X-Organization does not name an organization of yours."


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer mb_...` (RFC 6750)."""

    def authenticate(self, request: Request) -> tuple[User, Actor] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        actor = actor_of_key(text.strip(), ip=client_ip(request))
        named = request.headers.get(ORGANIZATION_HEADER)
        if named is not None and _uuid(named) != actor.organization.pk:
            raise OrganizationNotFound
        return actor.user, actor

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="minutebook"'


def actor_of_key(text: str, *, ip: str | None = None) -> Actor:
    """The Actor of a key. Raises KeyRefused, after recording why."""
    key = KeyText.parse(text)
    if key is None:
        _record_refusal("", None, "malformed", ip)  # without the text, which may be another secret
        raise KeyRefused
    digest = hashlib.sha256(text.encode()).hexdigest()
    version = api_key_cache.current_version()
    known = api_key_cache.get(digest, version)
    if known is not None:
        return known
    row = _look_up(key.prefix)
    reason = _why_not(row, key.secret)
    if row is None or reason:
        _record_refusal(key.prefix, row, reason, ip)
        raise KeyRefused
    _stamp_use(row, row.read_at)
    actor = Actor(row.user, row.organization, Role(row.role), frozenset(row.scopes), row.pk)
    api_key_cache.put(digest, actor, seconds=_seconds_left(row), version=version)
    return actor


def _look_up(prefix: str) -> Any:
    """The row with the person's `role`, and the database's time in `read_at`."""
    role = Membership.objects.filter(
        user=OuterRef("user"), organization=OuterRef("organization")
    ).values("role")
    rows = ApiKey.objects.select_related("user", "organization")
    return rows.annotate(role=Subquery(role), read_at=Now()).filter(prefix=prefix).first()


def _why_not(row: Any, secret: str) -> str:
    """Why the key is refused, "" when it is not. The secret is checked before anything is told."""
    if row is None:
        return "unknown"
    if not row.is_secret(secret):
        return "wrong secret"
    if row.revoked_at is not None:
        return "revoked"
    if row.has_expired(row.read_at):
        return "expired"
    if not row.user.is_active:
        return "person not active"
    return "" if row.role else "no longer a member"


def _seconds_left(row: Any) -> float:
    if row.expires_at is None:
        return math.inf
    seconds: float = (row.expires_at - row.read_at).total_seconds()
    return seconds


def _record_refusal(prefix: str, row: Any, reason: str, ip: str | None) -> None:
    record_security_event(
        kind="api_key.refused",
        organization_id=row.organization_id if row else None,
        user_id=row.user_id if row else None,
        ip=ip,
        data={"prefix": prefix, "reason": reason},
    )


def _stamp_use(row: ApiKey, now: datetime) -> None:
    """Write `last_used_at` at most once a minute, whichever process comes first."""
    if row.last_used_at is not None and row.last_used_at > now - USED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USED_EVERY)
    ApiKey.objects.filter(stale, pk=row.pk).update(last_used_at=now)


class SessionAuthentication(authentication.SessionAuthentication):
    """A person signed in by cookie, with CSRF protection.

    With one organization that one is meant; with several X-Organization names one. None named means
    no Actor, which `HasActor` refuses except where a view is about the person alone.
    """

    def authenticate(self, request: Request) -> tuple[User, Actor | None] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        user: User = found[0]
        named = request.headers.get(ORGANIZATION_HEADER)
        return user, _actor_of_person(user, named)

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="minutebook"'

    def enforce_csrf(self, request: Request) -> None:
        """The token comes in its header: to look for it in a form would read an upload's body."""
        bare: Any = copy.copy(request._request)
        bare._post, bare._files = QueryDict(), MultiValueDict()
        super().enforce_csrf(bare)


def _actor_of_person(user: User, named: str | None) -> Actor | None:
    membership = _only_membership(user) if named is None else _named_membership(user, named)
    if membership is None:
        return None
    return Actor(user, membership.organization, Role(membership.role))


def _only_membership(user: User) -> Membership | None:
    found = list(user.memberships.select_related("organization")[:2])
    return found[0] if len(found) == 1 else None


def _named_membership(user: User, named: str) -> Membership:
    organization_id = _uuid(named)
    if organization_id is None:
        raise OrganizationNotFound
    memberships = user.memberships.select_related("organization")
    membership = memberships.filter(organization_id=organization_id).first()
    if membership is None:
        raise OrganizationNotFound
    return membership


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
