"""What an Actor may do and see."""

from __future__ import annotations

import pytest

from core.accounts import scopes
from core.accounts.actor import RoleTooLow, ScopeMissing
from core.accounts.models import Role
from core.jobs.models import Job
from tests import make

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.OWNER, {"accounts:read", "accounts:write", "jobs:read", "jobs:write"}),
        (Role.ADMIN, {"accounts:read", "accounts:write", "jobs:read", "jobs:write"}),
        (Role.MEMBER, {"accounts:read", "jobs:read", "jobs:write"}),
        (Role.VIEWER, {"accounts:read", "jobs:read"}),
    ],
)
def test_a_role_decides_what_may_be_done(role: Role, may: set[str]) -> None:
    actor = make.actor(role=role)
    asked = {"accounts:read", "accounts:write", "jobs:read", "jobs:write"}

    assert {scope for scope in asked if actor.may(scope)} == may


def test_scopes_narrow_a_role_and_never_widen_it() -> None:
    actor = make.actor(role=Role.VIEWER, scopes=("jobs:read", "accounts:write"))

    actor.check("jobs:read")
    with pytest.raises(ScopeMissing):
        actor.check("accounts:read")
    with pytest.raises(RoleTooLow, match="takes the role admin"):
        actor.check("accounts:write")


def test_a_scope_that_nobody_declared_is_a_mistake() -> None:
    for scope in ("weather:read", "jobs", "jobs:delete", ""):
        with pytest.raises(LookupError):
            make.actor().may(scope)


def test_every_family_can_be_read_and_written() -> None:
    assert {"*", "accounts:read", "accounts:write", "jobs:read"} <= set(scopes.known_scopes())


def test_rows_of_a_team_are_seen_by_the_team_and_by_admins() -> None:
    organization = make.organization()
    team, other = make.team(organization=organization), make.team(organization=organization)
    for limit in (None, team, other):
        Job.objects.create(
            kind="test",
            queue="default",
            organization=organization,
            team=limit,
            max_attempts=1,
            run_at="2026-01-01T00:00:00Z",
        )

    def seen(role: Role, *teams: object) -> int:
        actor = make.actor(organization=organization, role=role, teams=teams)  # type: ignore[arg-type]
        return Job.objects.visible_to(actor).count()

    assert seen(Role.OWNER) == seen(Role.ADMIN) == 3
    assert seen(Role.MEMBER) == 1
    assert seen(Role.MEMBER, team) == 2
    assert seen(Role.VIEWER, team, other) == 3
    assert Job.objects.visible_to(make.actor()).count() == 0
