"""Nobody can tell another's row from one that does not exist: at no address, in no field.

Walks the schema with ids of rows of another organization, and of another team, so an endpoint that
is added tomorrow is tested without a word here. At each place those kinds of row are tried whose id
the database could find there: see `kinds_found_by`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Model, UUIDField
from rest_framework.test import APIClient

from core.accounts.models import Organization, Role
from core.accounts.scopes import known_scopes
from tests import make
from tests.architecture.openapi import Operation, example, operations, references

pytestmark = pytest.mark.django_db

Answer = tuple[int, str]

NOBODYS = "01a20120-ffff-7fff-bfff-ffffffffffff"


def owned_models() -> list[type[Model]]:
    """Every kind of row that belongs to an organization."""
    return [
        model
        for model in apps.get_models()
        if any(field.name == "organization" for field in model._meta.get_fields())
        and not model._meta.proxy
    ]


def ids_of(organization: Organization) -> dict[str, str]:
    """The id of one row of each kind of the organization, and of the organization itself."""
    found = {
        model.__name__: str(row.pk)
        for model in owned_models()
        if (row := model._default_manager.filter(organization=organization).last()) is not None
    }
    return {**found, "Organization": str(organization.pk)}


class Lookups:
    """Notes the queries that carry nobody's id: whatever an id can change, it changes there."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.in_other_shapes = False

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        for value in params or ():
            if value == uuid.UUID(NOBODYS):
                self.seen.append(str(sql))
            elif NOBODYS in str(value):
                self.in_other_shapes = True
        return execute(sql, params, many, context)

    def kinds(self) -> set[str]:
        """The kinds of row whose ids these queries could find; every kind if that is unclear."""
        known = apps.get_models(include_auto_created=True)
        models = [m for m in known if any(m._meta.db_table in sql for sql in self.seen)]
        if not models or self.in_other_shapes or any(_keeps_any_id(model) for model in models):
            return {"Organization"} | {model.__name__ for model in owned_models()}
        return {"Organization"}.union(*(kinds_found_by(model) for model in models))


def _keeps_any_id(model: type[Model]) -> bool:
    """Whether a column without a constraint may hold an id of any kind."""
    return any(
        isinstance(field, UUIDField) and not field.primary_key for field in model._meta.local_fields
    )


def kinds_found_by(model: type[Model]) -> set[str]:
    """What the ids in a table's columns are of: its own kind, and the kinds it refers to.

    An id of another kind is in no column, so it is answered from the same rows as nobody's.
    """
    referred = {f.related_model.__name__ for f in model._meta.local_fields if f.related_model}
    return {model.__name__, *referred}


class Walker:
    """Sends an operation twice, with somebody's id and with nobody's, and compares the answers."""

    def __init__(self, client: APIClient, *, own: dict[str, str], foreign: dict[str, str]) -> None:
        self.client = client
        self.own = own
        self.foreign = foreign

    def differences(self, operation: Operation) -> Iterator[str]:
        for place, send in self._places(operation):
            lookups = Lookups()
            with connection.execute_wrapper(lookups):
                nobodys = send(NOBODYS)
            for kind in sorted(lookups.kinds() & self.foreign.keys()):
                theirs = send(self.foreign[kind])
                if theirs != nobodys:
                    yield f"{operation} {place} with a {kind}: {theirs} instead of {nobodys}"

    def _places(self, operation: Operation) -> Iterator[tuple[str, Callable[[str], Answer]]]:
        if operation.path_names:
            yield "path", lambda value: self._send(operation, operation.address(value), value)
        for address in self._own_addresses(operation):
            for name in operation.query_names:
                yield f"?{name}=", partial(self._send_query, operation, address, name)
            for name in references(operation.body or {}):
                yield f"field {name}", partial(self._send_field, operation, address, name)

    def _own_addresses(self, operation: Operation) -> list[str]:
        """Where the operation finds one's own rows, so that its other ids are looked at."""
        if not operation.path_names:
            return [operation.path]
        if not operation.query_names and not list(references(operation.body or {})):
            return []
        lookups = Lookups()
        with connection.execute_wrapper(lookups):
            nowhere = self._send_refs(operation, operation.address(NOBODYS))
        kinds = sorted(lookups.kinds() & self.own.keys())
        addresses = [operation.address(self.own[kind]) for kind in kinds]
        return [a for a in addresses if self._send_refs(operation, a) != nowhere]

    def _send_refs(self, operation: Operation, address: str) -> Answer:
        """With nobody's id in every field and parameter: changes nothing anywhere."""
        body = body_with(operation, *references(operation.body or {}), value=NOBODYS)
        query = dict.fromkeys(operation.query_names, NOBODYS)
        return self._send(operation, address, NOBODYS, query, body)

    def _send_query(self, operation: Operation, address: str, name: str, value: str) -> Answer:
        return self._send(operation, address, value, {name: value})

    def _send_field(self, operation: Operation, address: str, name: str, value: str) -> Answer:
        return self._send(operation, address, value, body=body_with(operation, name, value=value))

    def _send(
        self,
        operation: Operation,
        address: str,
        sent: str,
        query: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> Answer:
        shaped = body or body_with(operation)
        answer = self.client.generic(
            operation.method.upper(),
            address,
            json.dumps(shaped) if operation.body is not None else "",
            content_type="application/json",
            query_params=query or {},
        )
        return answer.status_code, comparable(answer, sent)


def body_with(operation: Operation, *names: str, value: str = "") -> dict[str, Any]:
    """A body of the right shape that names a row in some of its fields."""
    fields = (operation.body or {}).get("properties", {})
    required = (operation.body or {}).get("required", [])
    body = {field: example(fields[field]) for field in required}
    for name in names:
        body[name] = [value] if fields[name].get("type") == "array" else value
    return body


def comparable(answer: Any, sent: str) -> str:
    """The answer's words without the id that was sent, and without what always differs."""
    if not answer.content:
        return ""
    body = answer.json()
    for name in (
        "request_id",
        "id",
        "key",
        "prefix",
        "created_at",
        "updated_at",
        "next",
        "previous",
    ):
        body.pop(name, None)
    text = json.dumps(body, sort_keys=True)
    return text.replace(sent, "ID")


# A source is told apart from none by whoever knows its address, as its sender must: who may send
# there is decided by the signature, and nothing of the source is shown.
ADDRESSES_FOR_SENDERS = ("/api/v1/hooks/{source_id}/",)


def api_operations() -> list[Operation]:
    return [
        operation
        for operation in operations()
        if operation.path.startswith("/api/v1/") and operation.path not in ADDRESSES_FOR_SENDERS
    ]


def test_there_is_one_of_everything_to_try_the_walls_with() -> None:
    theirs = make.organization()
    make.everything(organization=theirs)
    missing = {model.__name__ for model in owned_models()} - set(ids_of(theirs))
    assert not missing, f"let tests.make.everything() make {missing}"


def test_another_organizations_rows_are_as_good_as_none() -> None:
    theirs = make.organization()
    make.everything(organization=theirs)
    mine = make.organization()
    make.everything(organization=mine)
    walker = Walker(
        make.client(make.actor(organization=mine)), own=ids_of(mine), foreign=ids_of(theirs)
    )
    found = [d for operation in api_operations() for d in walker.differences(operation)]
    assert not found, "\n".join(found)


def test_another_teams_rows_are_as_good_as_none() -> None:
    organization = make.organization()
    make.everything(organization=organization, team=make.team(organization=organization))
    limited = (
        "Meeting",
        "Recording",
        "Transcript",
        "Speaker",
        "Segment",
        "Analysis",
        "AnalysisSection",
        "Summary",
        "Topic",
        "Decision",
        "ActionItem",
        "Evidence",
        "Export",
        "Job",
    )
    foreign = {kind: row for kind, row in ids_of(organization).items() if kind in limited}
    make.everything(organization=organization)
    client = make.client(make.actor(organization=organization, role=Role.MEMBER))
    walker = Walker(client, own=ids_of(organization), foreign=foreign)
    found = [d for operation in api_operations() for d in walker.differences(operation)]
    assert not found, "\n".join(found)


def test_ones_own_rows_are_there_or_the_walls_would_prove_nothing() -> None:
    who = make.actor()
    organization = who.organization
    make.everything(organization=organization, reader=who.user)
    client = make.client(who)
    details = [op for op in api_operations() if op.method == "get" and len(op.path_names) == 1]
    for operation in details:
        rows = ids_of(organization).values()
        shown = any(client.get(operation.address(row)).status_code == 200 for row in rows)
        assert shown, f"{operation} shows none of the organization's rows"
    assert details


def test_keys_that_only_write_get_nothing_but_ids() -> None:
    who = make.actor()
    make.everything(organization=who.organization, reader=who.user)
    own = ids_of(who.organization).values()
    scopes = tuple(scope for scope in known_scopes() if scope.endswith(":write"))
    client = make.client(make.api_key(actor=who, scopes=scopes))
    answered = set()
    for operation in api_operations():
        addresses = (
            {operation.address(i) for i in own} if operation.path_names else [operation.path]
        )
        for address in addresses if operation.method in ("post", "patch") else ():
            body = json.dumps(body_with(operation)) if operation.body is not None else ""
            send = getattr(client, operation.method)
            answer = send(address, body, content_type="application/json")
            if answer.status_code < 400 and answer.content:
                answered.add(str(operation))
                assert names_in(answer.json()) <= {"id"}, (operation, answer.json())
    assert len(answered) >= 10, answered


def names_in(data: dict[str, Any]) -> set[str]:
    """The names of an answer's values, at any depth."""
    found: set[str] = set()
    for name, value in data.items():
        found |= names_in(value) if isinstance(value, dict) else {name}
    return found


def test_an_id_of_no_shape_at_all_is_a_404_too() -> None:
    client = make.client(make.actor())
    for operation in api_operations():
        if operation.path_names:
            for shape in ("0", "x", str(uuid.uuid4())[:-1], "%00"):
                answer = client.generic(operation.method.upper(), operation.address(shape))
                assert answer.status_code in (400, 404, 405, 415), (operation, shape)
