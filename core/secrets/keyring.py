"""The keys of this installation, and sealing with them: AES-256-GCM (NIST SP 800-38D).

`SECRET_KEYS` holds them as `id:base64-of-32-bytes`, separated by commas. The first seals; the
others only open what was sealed before. What is stored is

    version (1 byte) | length of the key's id (1 byte) | id | nonce (12 bytes) | ciphertext and tag

A context goes into the seal without being stored, so a value opens only where it was sealed.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

VERSION = 1
KEY_BYTES = 32
NONCE_BYTES = 12
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


class SecretsError(Exception):
    """A secret cannot be sealed or opened. The text never holds a value or a key."""


class KeysUnusable(SecretsError):
    """`SECRET_KEYS` is empty or cannot be understood; the text says where."""


class UnknownKey(SecretsError):
    """A value was sealed with a key that is not on the ring; the text names the key's id."""


class SealBroken(SecretsError):
    """A stored value is damaged, or belongs to another row, column or organization."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys by id; `newest` is the id of the one that seals."""

    newest: str
    _keys: Mapping[str, AESGCM] = field(repr=False)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys, the newest first."""
        return tuple(self._keys)

    def seal(self, text: str, *, context: bytes) -> bytes:
        """The text as bytes that only this ring opens, and only in the same context."""
        head = bytes((VERSION, len(self.newest))) + self.newest.encode()
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keys[self.newest].encrypt(nonce, text.encode(), head + context)
        return head + nonce + sealed

    def open(self, stored: bytes, *, context: bytes) -> str:
        """The text that was sealed. Raises UnknownKey or SealBroken."""
        key_id, head_bytes = _key_id(stored)
        key = self._keys.get(key_id)
        if key is None:
            raise UnknownKey(
                f"This value was sealed with key {key_id!r}, which SECRET_KEYS does not hold."
            )
        head, rest = stored[:head_bytes], stored[head_bytes:]
        try:
            opened = key.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], head + context)
        except (InvalidTag, ValueError):
            # Without its cause, whose frames hold keys.
            raise SealBroken(
                f"A value sealed with key {key_id!r} does not open here: it is damaged, or was"
                " sealed for another row, column or organization, or the key was changed."
            ) from None
        return opened.decode()


def key_id_of(stored: bytes) -> str:
    """The id of the key that sealed this. Raises SealBroken if this is no sealed value."""
    return _key_id(stored)[0]


def keyring() -> Keyring:
    """The ring of this installation. Raises KeysUnusable."""
    return _ring(settings.SECRET_KEYS)


def read_keys(text: str) -> Keyring:
    """A ring from the text of `SECRET_KEYS`. Raises KeysUnusable, which never repeats a key."""
    keys: dict[str, AESGCM] = {}
    for number, part in enumerate(filter(None, map(str.strip, text.split(","))), 1):
        key_id, _, encoded = part.partition(":")
        if not ID.fullmatch(key_id) or not encoded:
            raise KeysUnusable(f"Key {number} of SECRET_KEYS is not of the form id:base64.")
        if key_id in keys:
            raise KeysUnusable(f"SECRET_KEYS names the key {key_id!r} twice.")
        keys[key_id] = AESGCM(_key_bytes(key_id, encoded))
    if not keys:
        raise KeysUnusable("SECRET_KEYS is empty.")
    return Keyring(next(iter(keys)), keys)


@lru_cache(maxsize=8)
def _ring(text: str) -> Keyring:
    return read_keys(text)


def _key_bytes(key_id: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise KeysUnusable(f"The key {key_id!r} of SECRET_KEYS is not base64.") from None
    if len(key) != KEY_BYTES:
        raise KeysUnusable(f"The key {key_id!r} of SECRET_KEYS has {len(key)} bytes, not 32.")
    return key


def _key_id(stored: bytes) -> tuple[str, int]:
    """The key's id, and how many bytes lie before the nonce."""
    if len(stored) < 2 or stored[0] != VERSION:
        raise SealBroken("This is not a sealed value of a version that is known here.")
    end = 2 + stored[1]
    try:
        return stored[2:end].decode("ascii"), end
    except UnicodeDecodeError:
        raise SealBroken("This is not a sealed value.") from None
