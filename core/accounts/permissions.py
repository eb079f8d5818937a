"""Who may call a view: somebody known, with the scope and the role it takes."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from core import errors


class OrganizationRequired(errors.Invalid):
    """The person belongs to several organizations and named none."""

    code = "organization.required"
    message = "You belong to several organizations. Name one in the X-Organization header."


class NoOrganization(errors.NotAllowed):
    """The person belongs to no organization."""

    code = "organization.none"
    message = "You do not belong to an organization yet."


class HasActor(BasePermission):
    """Every view's rule, named in settings.

    `scope_family = "meetings"` asks for `meetings:read` from GET, HEAD and OPTIONS and for
    `meetings:write` from the rest; the roles that takes are in `core.accounts.scopes`.
    `required_scopes = {"action": "jobs:write"}` decides for single actions, and
    `scope_family = None` is a view about the person alone.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        user: Any = request.user
        actor: Any = request.auth
        if user is None:
            raise errors.NotSignedIn
        scope = scope_for(request, view)
        if scope is None:
            return True
        if actor is None:
            raise OrganizationRequired if user.memberships.exists() else NoOrganization
        actor.check(scope)
        return True


def scope_for(request: Request, view: Any) -> str | None:
    """The scope that this request to this view takes, None for none."""
    special: dict[str, str] = getattr(view, "required_scopes", {})
    action = getattr(view, "action", None)
    if action in special:
        return special[action]
    if not hasattr(view, "scope_family"):
        raise ImproperlyConfigured(f"{type(view).__name__} does not say its scope_family")
    if view.scope_family is None:
        return None
    return f"{view.scope_family}:{'read' if request.method in SAFE_METHODS else 'write'}"
