"""A page of the log costs what its rows cost, however long the log and whatever is looked for."""

from __future__ import annotations

import pytest

from tests import make
from tests.webhooks import log_search

pytestmark = pytest.mark.django_db

MOST_BLOCKS = 80  # twenty rows, their endpoints, and the way down an index for each


def test_a_page_of_the_log_reads_no_more_than_its_rows() -> None:
    who = make.actor()
    endpoints = log_search.fill(who.organization, deliveries=6_000)
    client = make.client(who)

    read = {
        str(query): log_search.blocks_read(client, query)
        for query in log_search.searches(endpoints)
    }

    assert {query: blocks for query, blocks in read.items() if blocks > MOST_BLOCKS} == {}
