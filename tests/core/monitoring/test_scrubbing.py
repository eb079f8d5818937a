"""What no log may hold."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import IntegrityError, connection

from core.accounts.models.api_key import KeyText
from core.monitoring.scrubbing import hidden, hidden_text
from tests import make


def test_our_keys_keep_the_part_that_names_them() -> None:
    key = KeyText.new()

    assert hidden_text(f"sent {key} twice") == f"sent mb_{key.prefix}_[hidden] twice"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer [hidden]"),
        ("Basic dXNlcjpwYXNzd29yZA==", "Basic [hidden]"),
        ("key sk-abcdefghijklmnop1234", "key sk_[hidden]"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_[hidden]"),
        ("whsec_MfKQ9r8G+YqrTwj/PD8ILPZIo2LaLaSw1A== it was", "whsec_[hidden] it was"),
        ("whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJ+ubMb==", "whsk_[hidden]"),
        ("postgresql://ann:pa55@host:5432/db", "postgresql://[hidden]@host:5432/db"),
        (
            "GET https://s3.host/a/b?X-Amz-Signature=1&x=2 done",
            "GET https://s3.host/a/b?[hidden] done",
        ),
        ('"/api/files/1/?expires=9&signature=ab"', '"/api/files/1/?[hidden]"'),
        ("connect failed password=hunter2 host=x", "connect failed password=[hidden] host=x"),
        ("is this a question? yes", "is this a question? yes"),
        ("12 tokens / 3 s", "12 tokens / 3 s"),
    ],
)
def test_secrets_are_known_by_their_shape(text: str, kept: str) -> None:
    assert hidden_text(text) == kept


def cpu_of(text: str) -> float:
    def once() -> float:
        before = time.process_time()
        hidden_text(text)
        return time.process_time() - before

    return min(once() for _ in range(3))


@pytest.mark.parametrize(
    "run", ["/" * 1000 + " ", "://" * 330 + "<", "a:/" * 330 + "(", "a/" * 500 + '"', "a" * 1000]
)
def test_hostile_text_costs_about_what_ordinary_text_does(run: str) -> None:
    ordinary = "Nothing was found at /a/b, so password=x is wrong. " * 400
    hostile = (run * 30)[: len(ordinary)]

    assert cpu_of(hostile) < 10 * cpu_of(ordinary)


def test_secrets_are_known_by_their_name_at_any_depth() -> None:
    value: dict[str, Any] = {
        "Authorization": "x",
        "x-api-key": "x",
        "job": {"id": "7", "arguments": [{"text": "what somebody said", "n": 3}]},
        "audio": b"bytes",
    }

    assert hidden(value) == {
        "Authorization": "[hidden]",
        "x-api-key": "[hidden]",
        "job": {"id": "7", "arguments": [{"text": "[hidden]", "n": 3}]},
        "audio": "[hidden]",
    }


def test_a_value_without_an_end_is_cut() -> None:
    endless: list[Any] = []
    endless.append(endless)

    assert "[hidden]" in str(hidden(endless))


@pytest.mark.django_db
def test_a_row_that_postgresql_repeats_in_its_error_is_hidden() -> None:
    organization = make.organization()

    with pytest.raises(IntegrityError) as caught, connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO core_team (id, created_at, updated_at, organization_id, name)
               VALUES (gen_random_uuid(), now(), NULL, %s, %s)""",
            [organization.id, "what they said\n\nin two paragraphs"],
        )

    text = str(caught.value)
    assert "in two paragraphs" in text
    shown = hidden_text(f"Traceback\n{text}\n\nThe above exception was the direct cause")
    assert "they said" not in shown
    assert "paragraphs" not in shown
    assert 'null value in column "updated_at"' in shown
    assert "The above exception" in shown
