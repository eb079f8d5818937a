"""Signs deliveries and verifies inbound messages, on bytes.

Deliveries follow Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks): HMAC-
SHA256 or ed25519 over `id.timestamp.body`. The prefix of a secret names its kind:

    whsec_ + base64 of 24 to 64 random bytes      `v1`, the same secret signs and verifies
    whsk_ + base64 of seed and public key         `v1a`, signs
    whpk_ + base64 of the public key              `v1a`, verifies

Inbound messages are signed in one of four ways (`SCHEMES`). Whatever the headers and the body are,
the only error is `Unverified`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets as random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from core import errors

TOLERANCE_SECONDS = 300
SECRET, PRIVATE, PUBLIC = "whsec_", "whsk_", "whpk_"
NEW_SECRET_BYTES = 32
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64
KEY_BYTES = 32
MAX_SIGNATURES = 16  # in one header; more are not looked at

# Without a dot: it separates id, time and body in the signed bytes, so that an id with a dot could
# contain the time and a part of the body of another message.
_ID = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,255}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.I | re.ASCII)


class Unverified(errors.NotSignedIn):
    """The sender of a message could not be verified."""

    asks_for = "Signature"
    code = "signature.refused"
    message = "The message could not be verified."


class SignatureMissing(Unverified):
    """A header of the scheme is missing."""

    code = "signature.missing"
    message = "The message is not signed as its source signs."


class SignatureTooOld(Unverified):
    """Signed too long ago or in the future; perhaps a replay."""

    code = "signature.too_old"
    message = "The message was signed more than five minutes from now. Check the sender's clock."


class SignatureInvalid(Unverified):
    """The signature is malformed, or not of these bytes by a secret of the source."""

    code = "signature.invalid"
    message = "The signature does not belong to this message."


class KeyPair(NamedTuple):
    """`secret` signs and stays with the sender (`whsk_`); `public` verifies (`whpk_`)."""

    secret: str
    public: str


# --- Secrets ----------------------------------------------------------------------------------


def new_secret() -> str:
    """A new HMAC secret of 256 random bits, `whsec_...`."""
    return SECRET + _encoded(random.token_bytes(NEW_SECRET_BYTES))


def new_key_pair() -> KeyPair:
    """A new ed25519 pair."""
    seed = random.token_bytes(KEY_BYTES)
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return KeyPair(PRIVATE + _encoded(seed + public), PUBLIC + _encoded(public))


def public_key_of(secret: str) -> str:
    """The public key `whpk_...` of a private key `whsk_...`. Raises ValueError."""
    return PUBLIC + _encoded(_private_key(secret).public_key().public_bytes_raw())


def is_secret(text: str) -> bool:
    """Whether the text can verify Standard Webhooks: a valid `whsec_...` or `whpk_...`."""
    try:
        if text.startswith(PUBLIC):
            _public_key(text)
        else:
            _shared_key(text)
    except ValueError:
        return False
    return True


# --- Signing ----------------------------------------------------------------------------------


def sign(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature: `v1,...` by a `whsec_`, `v1a,...` by a `whsk_`. Raises ValueError.

    `timestamp` is the time of this attempt in epoch seconds.
    """
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    if secret.startswith(PRIVATE):
        return f"v1a,{_encoded(_private_key(secret).sign(signed))}"
    return f"v1,{_encoded(hmac.digest(_shared_key(secret), signed, 'sha256'))}"


def header_of(secrets: Sequence[str], *, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one signature per secret in force."""
    return " ".join(
        sign(secret, message_id=message_id, timestamp=timestamp, body=body) for secret in secrets
    )


# --- Verifying --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignedContent:
    """The signed bytes of a message, their timestamp, and the signatures as (version, bytes).

    `timestamp` is None for a scheme without one.
    """

    signed: bytes
    timestamp: int | None
    signatures: tuple[tuple[str, bytes], ...]


def verify_inbound(
    scheme: str, *, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: float
) -> str:
    """Verify a message by any of the secrets; returns the SHA-256 of the signed bytes, in hex.

    `headers` have lower-case names, `now` is in epoch seconds. Raises only Unverified.
    """
    content = SCHEMES[scheme](headers, body)
    if content.timestamp is not None and abs(now - content.timestamp) > TOLERANCE_SECONDS:
        raise SignatureTooOld
    # All secrets are tried, so that the time does not reveal which one matches.
    matches = [_matches(scheme, secret, content) for secret in secrets]
    if not any(matches):
        raise SignatureInvalid
    return hashlib.sha256(content.signed).hexdigest()


def _matches(scheme: str, secret: str, content: SignedContent) -> bool:
    try:
        if secret.startswith(PUBLIC) and scheme == "standard":
            return _matches_key_pair(_public_key(secret), content)
        key = _shared_key(secret) if scheme == "standard" else secret.encode()
    except ValueError:  # not a secret of this scheme
        return False
    expected = hmac.digest(key, content.signed, "sha256")
    matches = [
        hmac.compare_digest(expected, given) for kind, given in content.signatures if kind == "v1"
    ]
    return any(matches)


def _matches_key_pair(key: Ed25519PublicKey, content: SignedContent) -> bool:
    for kind, given in content.signatures:
        if kind == "v1a":
            try:
                key.verify(given, content.signed)
            except InvalidSignature:
                continue
            return True
    return False


# --- Reading signatures, by scheme ---------------------------------------------------------------


def _read_standard(headers: Mapping[str, str], body: bytes) -> SignedContent:
    """Standard Webhooks: `webhook-signature: v1,base64 v1a,base64` over `id.timestamp.body`."""
    message_id = _header(headers, "webhook-id")
    timestamp = _header(headers, "webhook-timestamp")
    given = _header(headers, "webhook-signature").split(" ")
    if not _ID.fullmatch(message_id):
        raise SignatureInvalid
    parts = (part.partition(",") for part in given[:MAX_SIGNATURES])
    signatures = tuple((kind, _decoded(text)) for kind, _, text in parts)
    seconds = _seconds(timestamp)
    signed = b".".join((message_id.encode("ascii"), timestamp.encode("ascii"), body))
    return SignedContent(signed, seconds, signatures)


def _read_timestamped(headers: Mapping[str, str], body: bytes) -> SignedContent:
    """`X-Webhook-Signature`, in hex, over `X-Webhook-Timestamp`, a dot and the body."""
    given = _header(headers, "x-webhook-signature")
    timestamp = _header(headers, "x-webhook-timestamp")
    seconds = _seconds(timestamp)
    return SignedContent(
        timestamp.encode("ascii") + b"." + body, seconds, (("v1", _from_hex(given)),)
    )


def _read_github(headers: Mapping[str, str], body: bytes) -> SignedContent:
    """`X-Hub-Signature-256: sha256=hex` over the body alone, without a timestamp."""
    kind, _, given = _header(headers, "x-hub-signature-256").partition("=")
    if kind != "sha256":
        raise SignatureInvalid
    return SignedContent(body, None, (("v1", _from_hex(given)),))


def _read_stripe(headers: Mapping[str, str], body: bytes) -> SignedContent:
    """`Stripe-Signature: t=seconds,v1=hex,v1=hex` over `t`, a dot and the body."""
    parts = [part.partition("=") for part in _header(headers, "stripe-signature").split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not given:
        raise SignatureInvalid
    seconds = _seconds(times[0])
    signatures = tuple(("v1", _from_hex(one)) for one in given[:MAX_SIGNATURES])
    return SignedContent(times[0].encode("ascii") + b"." + body, seconds, signatures)


# Keys are the values of webhooks.models.Scheme.
SCHEMES: dict[str, Callable[[Mapping[str, str], bytes], SignedContent]] = {
    "standard": _read_standard,
    "timestamped": _read_timestamped,
    "github": _read_github,
    "stripe": _read_stripe,
}


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "").strip()
    if not value:
        raise SignatureMissing
    return value


def _seconds(text: str) -> int:
    if not _TIMESTAMP.fullmatch(text):
        raise SignatureInvalid
    return int(text)


def _from_hex(text: str) -> bytes:
    if not _HEX.fullmatch(text):
        raise SignatureInvalid
    return bytes.fromhex(text)


def _decoded(text: str) -> bytes:
    """The bytes of a base64 signature; empty if malformed, which matches nothing."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


# --- Keys from their texts --------------------------------------------------------------------


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _decoded_key(text: str, prefix: str) -> bytes:
    if not text.startswith(prefix):
        raise ValueError(f"This is not a secret that begins with {prefix}.")
    try:
        return base64.b64decode(text.removeprefix(prefix), validate=True)
    except binascii.Error:
        raise ValueError("This secret is not base64.") from None


def _shared_key(secret: str) -> bytes:
    key = _decoded_key(secret, SECRET)
    if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise ValueError("A secret has 24 to 64 bytes.")
    return key


def _private_key(secret: str) -> Ed25519PrivateKey:
    content = _decoded_key(secret, PRIVATE)
    if len(content) != 2 * KEY_BYTES:
        raise ValueError("A signing key has 64 bytes: the seed and the public key.")
    key = Ed25519PrivateKey.from_private_bytes(content[:KEY_BYTES])
    if key.public_key().public_bytes_raw() != content[KEY_BYTES:]:
        raise ValueError("The two halves of this signing key do not belong together.")
    return key


def _public_key(text: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(_decoded_key(text, PUBLIC))
