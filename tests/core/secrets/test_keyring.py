"""Keys come from the environment; what one ring sealed, only it opens, and only in its place."""

from __future__ import annotations

import base64

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings

from core.secrets.keyring import (
    KeysUnusable,
    SealBroken,
    UnknownKey,
    key_id_of,
    keyring,
    read_keys,
)

OLD = f"k1:{base64.b64encode(b'1' * 32).decode()}"
NEW = f"k2:{base64.b64encode(b'2' * 32).decode()}"
TEXT = "whsec_Grüße, 世界"


def test_what_was_sealed_is_opened_again_and_shows_nothing() -> None:
    ring = read_keys(OLD)
    stored = ring.seal(TEXT, context=b"here")

    assert ring.open(stored, context=b"here") == TEXT
    assert b"whsec" not in stored
    assert stored != ring.seal(TEXT, context=b"here")
    assert "1111" not in repr(ring)


def test_the_first_key_seals_and_the_others_only_open() -> None:
    before, after = read_keys(OLD), read_keys(f"{NEW}, {OLD}")
    stored = after.seal(TEXT, context=b"")

    assert after.ids == ("k2", "k1")
    assert key_id_of(stored) == "k2"
    assert after.open(before.seal(TEXT, context=b""), context=b"") == TEXT
    with pytest.raises(UnknownKey, match="'k2'"):
        before.open(stored, context=b"")


def test_what_is_damaged_or_elsewhere_does_not_open() -> None:
    ring = read_keys(OLD)
    stored = ring.seal(TEXT, context=b"here")

    with pytest.raises(SealBroken, match="another row"):
        ring.open(stored, context=b"there")
    for place in range(len(stored)):
        damaged = stored[:place] + bytes((stored[place] ^ 1,)) + stored[place + 1 :]
        with pytest.raises((SealBroken, UnknownKey)):
            ring.open(damaged, context=b"here")
        with pytest.raises((SealBroken, UnknownKey)):
            ring.open(stored[:place], context=b"here")


def test_a_key_of_the_same_id_and_another_value_is_told_from_the_right_one() -> None:
    other = read_keys(NEW.replace("k2", "k1"))
    with pytest.raises(SealBroken, match="the key was changed"):
        other.open(read_keys(OLD).seal(TEXT, context=b""), context=b"")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (" , ", "empty"),
        ("just-a-key", "Key 1 .* form"),
        (f"{OLD},k2", "Key 2 .* form"),
        (f"k 1:{OLD[3:]}", "Key 1 .* form"),
        (f"{OLD},{OLD}", "'k1' twice"),
        ("k1:not*base64", "'k1' .* not base64"),
        ("k1:c2hvcnQ=", "'k1' .* 5 bytes"),
    ],
)
def test_unusable_keys_are_found_at_start_and_never_repeated(
    settings: Settings, text: str, said: str
) -> None:
    settings.SECRET_KEYS = text
    with pytest.raises(KeysUnusable, match=said) as caught:
        keyring()
    found = {str(finding.id): finding for finding in run_checks()}

    assert (found["core.E020"].hint or "").endswith(".")
    assert OLD[3:] not in str(caught.value)
