"""A link opens one file until its time is over; any altered bit closes it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from core.files.links import LinkInvalid, check_link
from exports.models import Export
from exports.queries import link_to
from tests import make

pytestmark = pytest.mark.django_db

BODY = bytes(range(256)) * 4


@pytest.fixture
def export() -> Export:
    return make.export(meeting=make.meeting(), content=BODY, filename='Pläne "A".txt')


def address_of(export: Export, *, seconds_ago: float = 0.0) -> str:
    moment = timezone.now() - timedelta(seconds=seconds_ago)
    link = link_to(export, moment)
    assert link is not None
    return f"/api/v1/exports/{export.id}/file/{link.token}/"


def fetch(address: str, **headers: str) -> Any:
    return APIClient().get(address, headers={n.replace("_", "-"): v for n, v in headers.items()})


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_the_answer_says_what_the_file_is_and_keeps_it_out_of_the_way(export: Export) -> None:
    answer = fetch(address_of(export))

    assert answer.status_code == 200
    assert body(answer) == BODY
    assert answer["Content-Length"] == str(len(BODY))
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    named = answer["Content-Disposition"]
    assert named == "attachment; filename*=utf-8''Pl%C3%A4ne%20%22A%22.txt"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    assert answer["Repr-Digest"] == f"sha-256=:{digest}:"
    assert answer["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=100-199", 100, 199),
        ("bytes=1000-", 1000, 1023),
        ("bytes=-24", 1000, 1023),
        ("bytes=1000-99999", 1000, 1023),
        ("bytes=-99999", 0, 1023),
    ],
)
def test_a_part_is_sent_when_it_is_asked_for(
    wanted: str, first: int, last: int, export: Export
) -> None:
    answer = fetch(address_of(export), range=wanted)

    assert answer.status_code == 206
    assert body(answer) == BODY[first : last + 1]
    assert answer["Content-Range"] == f"bytes {first}-{last}/1024"
    assert answer["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("wanted", ["bytes=1024-", "bytes=-0", "bytes=5000-6000"])
def test_a_part_behind_the_end_is_refused(wanted: str, export: Export) -> None:
    answer = fetch(address_of(export), range=wanted)

    assert answer.status_code == 416
    assert answer["Content-Range"] == "bytes */1024"


@pytest.mark.parametrize(
    "wanted", ["bytes=1-2,5-6", "bytes=9-1", "bytes=-", "lines=1-2", "bytes=1-" + "9" * 40]
)
def test_what_is_no_single_range_gets_the_whole_file(wanted: str, export: Export) -> None:
    assert body(fetch(address_of(export), range=wanted)) == BODY


def test_a_part_of_other_bytes_is_answered_with_the_whole_file(export: Export) -> None:
    address = address_of(export)
    etag = fetch(address)["ETag"]

    assert fetch(address, range="bytes=0-9", if_range=etag).status_code == 206
    assert fetch(address, range="bytes=0-9", if_range='"other"').status_code == 200


def test_a_look_at_the_head_costs_no_bytes(export: Export) -> None:
    answer = APIClient().head(address_of(export))

    assert answer.status_code == 200
    assert answer["Content-Length"] == str(len(BODY))
    assert answer.content == b""


def altered(text: str, start: int, bits: tuple[int, ...] = tuple(range(7))) -> Iterator[str]:
    """The text with one bit of one letter changed, wherever that gives a letter of an address."""
    for position in range(start, len(text)):
        for bit in bits:
            letter = chr(ord(text[position]) ^ 1 << bit)
            if letter not in "/?#%\\" and letter.isprintable():
                yield text[:position] + letter + text[position + 1 :]


def test_any_altered_bit_is_refused(export: Export) -> None:
    link = link_to(export, timezone.now())
    assert link is not None
    for token in altered(link.token, 0):
        with pytest.raises(LinkInvalid):
            check_link(Export, row_id=export.id, token=token)


def test_any_altered_letter_of_an_address_is_refused(export: Export) -> None:
    address = address_of(export).removesuffix("/")
    start = address.index("/file/") + len("/file/")
    for other in altered(address, start, bits=(0,)):
        assert fetch(f"{other}/").status_code in (403, 404), other


def test_a_link_to_one_export_opens_no_other(export: Export) -> None:
    other = make.export(meeting=make.meeting(organization=export.organization))

    moved = address_of(export).replace(str(export.id), str(other.id))

    assert fetch(moved).json()["code"] == "link.invalid"


def test_a_link_ends_after_an_hour_and_a_later_one_does_not(export: Export) -> None:
    assert fetch(address_of(export, seconds_ago=3590)).status_code == 200
    over = fetch(address_of(export, seconds_ago=3601))
    assert (over.status_code, over.json()["code"]) == (403, "link.expired")


def test_a_link_never_outlives_the_file(export: Export) -> None:
    export.expires_at = timezone.now() + timedelta(seconds=60)

    link = link_to(export, timezone.now())

    assert link is not None
    assert link.expires_at <= export.expires_at


def test_a_link_ends_with_its_export(export: Export) -> None:
    address = address_of(export)
    who = make.actor(organization=export.organization)

    assert make.client(who).delete(f"/api/v1/exports/{export.id}/").status_code == 204

    assert fetch(address).json()["code"] == "link.invalid"


def test_an_export_shows_a_whole_address(export: Export) -> None:
    who = make.actor(organization=export.organization)
    shown = make.client(who).get(f"/api/v1/exports/{export.id}/").json()

    parts = urlsplit(shown["download_url"])
    assert parts.scheme == "http"
    assert body(APIClient().get(parts.path)) == BODY
    assert shown["expires_at"] < shown["kept_until"]
