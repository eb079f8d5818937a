"""The page for client developers, and the description behind it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client

from config.api_description import FILE, GROUPS, INTRODUCTION
from core.http.errors import all_codes

DESCRIPTION: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
# Words of the code, which a client developer cannot know.
INTERNAL = re.compile(r"\b(actor|asker|owed?|owes|hears?|house|queryset|somebody)\b")


def operations() -> list[dict[str, Any]]:
    return [one for path in DESCRIPTION["paths"].values() for one in path.values()]


def texts(value: Any) -> list[str]:
    """Every summary and description inside a part of the description."""
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    if not isinstance(value, dict):
        return []
    own = [value[name] for name in ("summary", "description") if isinstance(value.get(name), str)]
    return own + [text for one in value.values() for text in texts(one)]


def test_schema_is_sent_compressed_and_only_when_it_has_changed(client: Client) -> None:
    answer = client.get("/api/schema/", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert client.get("/api/schema/").json() == DESCRIPTION

    unchanged = client.get("/api/schema/", headers={"If-None-Match": answer.headers["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_docs_page_opens_with_closed_groups(client: Client) -> None:
    page = client.get("/api/docs/").content.decode()
    assert '"docExpansion": "none"' in page
    assert "/api/schema/" in page


def test_groups_are_in_the_order_of_use_and_none_is_empty() -> None:
    names = [group.name for group in GROUPS]
    assert [tag["name"] for tag in DESCRIPTION["tags"]] == names
    assert {operation["tags"][0] for operation in operations()} == set(names)


@pytest.mark.parametrize(
    "subject", ["Authentication", "Paging", "Errors", "Idempotency", "Webhook"]
)
def test_introduction_has_a_section_on(subject: str) -> None:
    assert f"\n### {subject}" in DESCRIPTION["info"]["description"]


def test_introduction_links_to_operations_and_codes_that_exist() -> None:
    text = INTRODUCTION.read_text("utf-8")
    known = {(one["tags"][0], one["operationId"]) for one in operations()}
    links = re.findall(r"\(#/(.+?)/(\w+)\)", text)
    assert links
    assert {(tag.replace("%20", " "), name) for tag, name in links} <= known
    (code,) = re.findall(r'"code": "(.+?)", "detail": ".+?"', text)
    (detail,) = re.findall(r'"detail": "(.+?)"', text)
    assert all_codes()[code].message == detail


def test_no_text_uses_words_of_the_code() -> None:
    assert [text for text in texts(DESCRIPTION) if INTERNAL.search(text)] == []
