"""A list or a page costs as many queries for five rows as for one."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.accounts.models import Organization
from tests import make
from tests.architecture.openapi import Operation, operations
from tests.architecture.test_walls import ids_of

pytestmark = pytest.mark.django_db


def reads() -> list[Operation]:
    return [
        op
        for op in operations()
        if op.method == "get" and op.path.startswith("/api/v1/") and len(op.path_names) < 2
    ]


def queries(client: APIClient, address: str) -> int:
    """The number of queries of a request whose like was sent just before.

    The smaller of two counts: between them the process may have looked the API key up again, as it
    does every half minute.
    """
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        counts.append(len(captured))
    return min(counts)


def costs(client: APIClient, organization: Organization) -> dict[str, int]:
    """How many queries each read takes, details with an id of the kind they show."""
    found = {}
    for operation in reads():
        addresses = {operation.address(row) for row in ids_of(organization).values()}
        for address in sorted(addresses):
            if client.get(address).status_code == 200:
                found[str(operation)] = queries(client, address)
    return found


def test_every_read_takes_a_constant_number_of_queries() -> None:
    organization = make.organization()
    who = make.actor(organization=organization)
    make.everything(organization=organization, reader=who.user)
    client = make.client(who)
    few = costs(client, organization)
    for _ in range(4):
        make.everything(organization=organization, reader=who.user)
    meeting = make.meeting(organization=organization)
    for _ in range(4):
        long = make.transcript(recording=make.recording(meeting=meeting), texts=("a.",) * 30)
        found = make.analysis(transcript=long)
        for _ in range(5):
            make.decision(analysis=found)
            make.action_item(analysis=found)
    many = costs(client, organization)
    assert many == few
    assert set(few) == {str(operation) for operation in reads()}, "some read was not reached"
    everything = few.pop("GET /api/v1/meetings/{id}/")
    analysis = few.pop("GET /api/v1/meetings/{meeting_id}/analysis/")
    assert max(few.values()) <= 8, few
    # One for each kind of row there is to show, and one for what each kind rests on.
    assert analysis <= 14
    assert everything <= 21
