"""What we sign others accept, what others sign we accept, and nothing else gets in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import openai
import pytest
import standardwebhooks
import stripe
import svix.webhooks

from webhooks import signatures
from webhooks.signatures import SignatureInvalid, SignatureMissing, SignatureTooOld, Unverified

# Published: the symmetric one in the tests of every library of Standard Webhooks, for example
# libraries/python/tests/test_webhooks.py of github.com/standard-webhooks/standard-webhooks, the
# other in `test_asymmetric_key_signing` of server/svix-server/src/worker.rs, github.com/svix.
VECTOR: Any = {
    "message_id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "timestamp": 1614265330,
    "body": b'{"test": 2432232314}',
}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
V1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
PRIVATE = (
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
)
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
V1A = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="

Headers = dict[str, str]
PLAIN = "a secret of another sender"
BODY = '{"type": "meeting.held", "é": 1}'.encode()


def standard(body: bytes, now: int, *, signature: str | None = None) -> Headers:
    made = signature or signatures.sign(SECRET, message_id="m1", timestamp=now, body=body)
    return {"webhook-id": "m1", "webhook-timestamp": str(now), "webhook-signature": made}


def timestamped(body: bytes, now: int) -> Headers:
    made = hmac.new(PLAIN.encode(), b"%d.%s" % (now, body), hashlib.sha256).hexdigest()
    return {"x-webhook-signature": made, "x-webhook-timestamp": str(now)}


def github(body: bytes, now: int) -> Headers:
    made = hmac.new(PLAIN.encode(), body, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={made}"}


def by_stripe(body: bytes, now: int) -> Headers:
    sign = stripe.WebhookSignature.generate_signature_header
    return {"stripe-signature": sign(body.decode(), PLAIN, now)}


SIGNED: dict[str, tuple[Callable[[bytes, int], Headers], str]] = {
    "standard": (standard, SECRET),
    "timestamped": (timestamped, PLAIN),
    "github": (github, PLAIN),
    "stripe": (by_stripe, PLAIN),
}
TIMED = ["standard", "timestamped", "stripe"]
NOW = 1_795_000_000


def verify(
    scheme: str, headers: Headers, *secrets: str, body: bytes = BODY, now: float = NOW
) -> str:
    return signatures.verify_inbound(
        scheme, secrets=secrets or (SIGNED[scheme][1],), headers=headers, body=body, now=now
    )


def payloads(count: int) -> Iterator[bytes]:
    """JSON as customers' meetings make it: every script, large numbers, floats, depth."""
    source = random.Random(1795)
    letters = [chr(n) for n in range(1, 0x3000) if not 0xD800 <= n < 0xE000] + list("🎉👩‍💻\u2028")
    for _ in range(count):
        content: dict[str, Any] = {
            "type": "meeting.held",
            "text": "".join(source.choices(letters, k=source.randrange(60))),
            "big": source.randrange(-(2**90), 2**90),
            "float": source.uniform(-1e18, 1e-9),
            "list": [None, True, {"deep": [source.random()]}],
        }
        yield json.dumps(content, ensure_ascii=source.random() < 0.5).encode()


def test_the_published_vectors_come_out() -> None:
    assert signatures.sign(SECRET, **VECTOR) == V1
    assert signatures.sign(PRIVATE, **VECTOR) == V1A
    assert signatures.public_key_of(PRIVATE) == PUBLIC
    assert signatures.header_of([SECRET, PRIVATE], **VECTOR) == f"{V1} {V1A}"

    headers = {
        "webhook-id": VECTOR["message_id"],
        "webhook-timestamp": "1614265330",
        "webhook-signature": f"v1,bm9wZQ==  {V1} {V1A}",
    }
    for secret in (SECRET, PUBLIC):
        verify("standard", headers, secret, body=VECTOR["body"], now=1614265330)


def test_new_secrets_have_the_form_of_the_standard_and_are_never_the_same() -> None:
    secret, other = signatures.new_secret(), signatures.new_secret()
    pair = signatures.new_key_pair()

    assert secret != other
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert signatures.public_key_of(pair.secret) == pair.public
    assert all(map(signatures.is_secret, (secret, pair.public)))
    unfit = ("", "whsec_", "whsec_c2hvcnQ=", "whsec_*", f"whsec_{'A' * 100}", "whpk_AAAA", "é")
    assert not any(map(signatures.is_secret, (*unfit, pair.secret, PLAIN)))


@pytest.mark.parametrize(
    "secret", ["", PLAIN, PUBLIC, "whsec_c2hvcnQ=", PRIVATE[:40], PRIVATE.replace("Kvg", "Kvw")]
)
def test_nothing_is_signed_by_what_is_no_secret(secret: str) -> None:
    with pytest.raises(ValueError, match=r"[.]$"):
        signatures.sign(secret, **VECTOR)


def test_every_judge_accepts_what_we_sign() -> None:
    secret, now = signatures.new_secret(), int(time.time())
    judges: list[Callable[[bytes, Headers], object]] = [
        lambda body, headers: standardwebhooks.Webhook(secret).verify(body, headers),
        lambda body, headers: svix.webhooks.Webhook(secret).verify(body, headers),
        openai.OpenAI(api_key="none", webhook_secret=secret).webhooks.verify_signature,
    ]
    for number, body in enumerate(payloads(1000)):
        message_id = f"m{number}"
        both = [signatures.new_secret(), secret]
        made = signatures.header_of(both, message_id=message_id, timestamp=now, body=body)
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(now),
            "webhook-signature": made,
        }
        for judge in judges:
            judge(body, headers)
        verify("standard", headers, secret, body=body, now=now)


def test_we_accept_what_the_judges_sign() -> None:
    makers: list[Any] = [standardwebhooks.Webhook(SECRET), svix.webhooks.Webhook(SECRET)]
    moment = datetime.fromtimestamp(NOW, UTC)
    for body in payloads(300):
        for maker in makers:
            made = maker.sign("m1", moment, body.decode())
            verify("standard", standard(body, NOW, signature=made), body=body)
        verify("stripe", by_stripe(body, NOW), body=body)


def test_signed_bytes_cannot_be_read_as_another_id_and_time() -> None:
    """`m1.NOW.NOW.rest` is also the id `m1.NOW`, the time NOW and the body `rest`."""
    headers = standard(b"%d.rest" % NOW, NOW)
    verify("standard", headers, body=b"%d.rest" % NOW)
    with pytest.raises(signatures.SignatureInvalid):
        verify("standard", {**headers, "webhook-id": f"m1.{NOW}"}, body=b"rest")


@pytest.mark.parametrize("scheme", SIGNED)
def test_a_signed_message_is_known_by_what_was_signed(scheme: str) -> None:
    headers = SIGNED[scheme][0](BODY, NOW)
    right = SIGNED[scheme][1]

    assert len(verify(scheme, headers)) == 64
    assert verify(scheme, headers, signatures.new_secret(), right) == verify(scheme, headers)
    assert verify(scheme, headers) != verify(
        scheme, SIGNED[scheme][0](b"other", NOW), body=b"other"
    )
    body = bytes(range(256))
    if scheme != "stripe":  # whose library signs texts
        verify(scheme, SIGNED[scheme][0](body, NOW), body=body)


@pytest.mark.parametrize("scheme", TIMED)
def test_five_minutes_are_forgiven_in_both_directions_and_no_more(scheme: str) -> None:
    headers = SIGNED[scheme][0](BODY, NOW)
    for away in (-300, 300):
        verify(scheme, headers, now=NOW + away)
    for away in (-301, 301, -NOW, 10**9):
        with pytest.raises(SignatureTooOld):
            verify(scheme, headers, now=NOW + away)


@pytest.mark.parametrize("scheme", SIGNED)
def test_each_header_is_needed(scheme: str) -> None:
    headers = SIGNED[scheme][0](BODY, NOW)
    for name in headers:
        for left in (headers | {name: " "}, {k: v for k, v in headers.items() if k != name}):
            with pytest.raises(SignatureMissing):
                verify(scheme, left)


@pytest.mark.parametrize("scheme", SIGNED)
def test_another_body_secret_time_or_signature_is_refused(scheme: str) -> None:
    make = SIGNED[scheme][0]
    headers = make(BODY, NOW)
    with pytest.raises(SignatureInvalid):
        verify(scheme, headers, body=BODY + b" ")
    for wrong in (signatures.new_secret(), "", PUBLIC, PRIVATE, "whsec_*", "whpk_*"):
        with pytest.raises(SignatureInvalid):
            verify(scheme, headers, wrong)
    with pytest.raises(SignatureInvalid):
        signatures.verify_inbound(scheme, secrets=(), headers=headers, body=BODY, now=NOW)
    if scheme in TIMED:
        later = {k: v.replace(str(NOW), str(NOW + 1)) for k, v in headers.items()}
        with pytest.raises(SignatureInvalid):
            verify(scheme, later)


def test_one_fitting_signature_of_several_is_enough() -> None:
    good = by_stripe(BODY, NOW)["stripe-signature"]
    verify("stripe", {"stripe-signature": good.replace(",v1=", f",v1={'0' * 64},v0=x,v1=")})
    with pytest.raises(SignatureInvalid):
        verify("stripe", {"stripe-signature": good.replace("v1=", "v0=")})
    with pytest.raises(SignatureInvalid):
        verify("stripe", {"stripe-signature": f"{good},t={NOW}"})
    right = standard(BODY, NOW)["webhook-signature"]
    verify("standard", standard(BODY, NOW, signature=f"v2,x v1,AAAA {right}"))
    with pytest.raises(SignatureInvalid):
        verify("standard", standard(BODY, NOW, signature=right.replace("v1", "v1a")))


@pytest.mark.parametrize("scheme", SIGNED)
def test_garbage_is_refused_and_never_an_error(scheme: str) -> None:
    source = random.Random(scheme)
    odd = [
        "\x00",
        "é",
        "\ud800",
        "٣",
        " ",
        ",",
        "=",
        ".",
        "v1,",
        "t=",
        "-1",
        "1e9",
        "9" * 40,
        "ÿ",
        "\n",
    ]
    make, secret = SIGNED[scheme]
    secrets = (secret, PUBLIC) if scheme == "standard" else (secret,)
    for _ in range(2500):
        body = source.randbytes(source.randrange(40))
        headers = make(BODY, NOW)
        name = source.choice(list(headers))
        text, place = headers[name], source.randrange(len(headers[name]))
        headers[name] = source.choice([
            text[:place] + source.choice(odd) + text[place + source.randrange(3) :],
            "".join(source.choices(odd + list(text), k=source.randrange(90))),
        ])  # fmt: skip
        with pytest.raises(Unverified):
            signatures.verify_inbound(scheme, secrets=secrets, headers=headers, body=body, now=NOW)
