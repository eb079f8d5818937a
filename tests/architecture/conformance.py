"""Every answer is one that the description allows: schemathesis asks as four kinds of client.

Not collected by `./mb test`, because it takes minutes and its questions differ by nature; run by
`./mb judges answers`, or `pytest tests/architecture/conformance.py`.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from core.accounts.models import Role
from core.accounts.scopes import known_scopes
from tests import make
from tests.architecture.test_walls import ids_of

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = int(os.environ.get("CONFORMANCE_EXAMPLES", "4"))

# As Django's test client does: the requests of a test run inside its transaction.
request_started.disconnect(close_old_connections)
request_finished.disconnect(close_old_connections)

description = SchemaGenerator().get_schema(request=None, public=True)
api = schemathesis.openapi.from_dict(description)
api.app = application


@dataclass(frozen=True)
class Site:
    """One organization with a row of every kind, and an API key of each kind of client."""

    keys: dict[str, str | None]
    ids: dict[str, str]

    def id_of(self, address: str, parameter: str) -> str | None:
        """The id of a row of the noun before a parameter: `/webhooks/sources/{id}/`."""
        noun = address.partition("{" + parameter)[0].strip("/").rpartition("/")[2]
        singular = noun.replace("ies", "y").removesuffix("s").replace("-", "")
        kinds = [kind for kind in self.ids if kind.lower().endswith(singular)]
        return self.ids[min(kinds, key=len)] if kinds else None


@pytest.fixture
def site(db: None) -> Site:
    owner = make.actor()
    make.everything(organization=owner.organization, reader=owner.user)
    viewer = make.actor(organization=owner.organization, role=Role.VIEWER)
    writes = tuple(scope for scope in known_scopes() if scope.endswith(":write"))
    keys = {
        "owner": make.api_key(actor=owner),
        "viewer": make.api_key(actor=viewer),
        "writer": make.api_key(actor=owner, scopes=writes),
        "stranger": None,
    }
    return Site(keys, ids_of(owner.organization))


@api.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_described(case: schemathesis.Case, site: Site) -> None:
    for name, generated in case.path_parameters.items():
        known = site.id_of(case.operation.path, name)
        # Most questions are about rows that are there; the rest keep the generated id.
        if known and zlib.crc32(str(generated).encode()) % 4:
            case.path_parameters[name] = known
    case.headers.pop("X-Organization", None)
    for key in site.keys.values():
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        case.call_and_validate(headers=headers, checks=CHECKS)
