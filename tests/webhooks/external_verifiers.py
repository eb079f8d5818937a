"""`python -m tests.webhooks.external_verifiers WHAT FOLDER`: files for the verifiers of others.

`deliveries` writes a thousand requests as a sender makes them; `signed` says what is wrong with
those that the other programs signed; `receivers` runs the receivers and senders that the page
shows in Node and in a shell, and says nothing if each takes what is ours and nothing else.
"""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import django

NUMBER = 1000
SECONDS = 30.0

Request = tuple[bytes, dict[str, str]]


# --- What we send, for the libraries of others ---------------------------------------------------


class Signer:
    """Requests by the code that sends them, without a database and without a network."""

    def __init__(self, *secrets: str) -> None:
        from core.db.rows import new_id
        from webhooks.services.senders import Sender

        nobody: Any = None
        self.endpoint_id = new_id()
        self.sender = Sender(nobody)
        self.sender._clock_offset = time.time() - time.monotonic()
        self.sender._secrets._secrets[self.endpoint_id] = secrets

    def request(self, body: str) -> Request:
        from core.db.rows import new_id
        from webhooks.services.claiming import ClaimedDelivery

        taken = ClaimedDelivery(
            id=new_id(),
            token=1,
            event_id=new_id(),
            event_type="export.completed",
            body=body,
            attempt_count=0,
            endpoint_id=self.endpoint_id,
            url="https://example.org/",
            must_record_success=False,
            claimed_at=0.0,
        )
        exchange = self.sender._request(taken)
        return exchange.body, dict(exchange.headers)


def body(rng: random.Random) -> str:
    """A payload that is hard to sign the same way twice; half of them as we write JSON."""
    from webhooks.queries import catalogue

    letters = "".join(chr(rng.choice((rng.randrange(32, 0xD800), rng.randrange(0xE000, 0x110000))))
                      for _ in range(rng.randrange(40)))  # fmt: skip
    data = {
        "text": letters,
        letters[:5]: rng.choice((None, True, "\\u0000", "a.b.c", "</script>", "\u2028")),
        "float": rng.choice((rng.uniform(-1e9, 1e9), 1e-300, 1e300, -0.0, 0.1 + 0.2)),
        "number": rng.choice((2**53 + 1, 2**63 - 1, -(2**63), rng.getrandbits(60))),
        "list": [rng.random() for _ in range(rng.randrange(5))],
    }
    if rng.random() < 0.5:
        return catalogue.body_of("export.completed", catalogue.EXAMPLE_TIME, data)
    return json.dumps({"data": {**data, "huge": 7**200}}, ensure_ascii=rng.random() < 0.5)


def write_deliveries(folder: Path) -> None:
    """`deliveries.json`: signed with one secret, with two, and with a key pair."""
    from webhooks import signatures

    old, secret = signatures.new_secret(), signatures.new_secret()
    pair, rng = signatures.new_key_pair(), random.Random(1)
    one, two, by_pair = Signer(secret), Signer(old, secret), Signer(pair.secret)
    shared = [(one if at % 2 else two).request(body(rng)) for at in range(NUMBER)]
    asymmetric = [by_pair.request(body(rng)) for _ in range(NUMBER // 10)]
    written = {
        "secret": secret,
        "public": pair.public,
        "v1": [_as_json(request) for request in shared],
        "v1a": [_as_json(request) for request in asymmetric],
    }
    (folder / "deliveries.json").write_text(json.dumps(written), "utf-8")


def _as_json(request: Request) -> dict[str, Any]:
    return {"body": base64.b64encode(request[0]).decode(), "headers": request[1]}


# --- What others sign, for us --------------------------------------------------------------------


def faults_in_signed(folder: Path) -> list[str]:
    """What in `signed.json` an inbound source would refuse."""
    from webhooks import signatures

    signed = json.loads((folder / "signed.json").read_text("utf-8"))
    if len(signed["messages"]) < NUMBER:
        return [f"only {len(signed['messages'])} messages were signed"]
    return [
        f"{name}: {refusal}"
        for name, content, headers in signed["messages"]
        if (refusal := _refusal(signatures, signed["secret"], content.encode(), headers))
    ]


def _refusal(signatures: Any, secret: str, content: bytes, headers: Mapping[str, str]) -> str:
    try:
        signatures.verify_inbound(
            "standard", secrets=[secret], headers=headers, body=content, now=time.time()
        )
    except signatures.Unverified as refusal:
        return str(refusal.code)
    return ""


# --- What the page shows --------------------------------------------------------------------------


def faults_in_receivers(folder: Path) -> list[str]:
    """What the receivers and senders on the page do wrong."""
    from tests.webhooks.page import examples

    code = examples()
    return [
        *_node_faults(folder, code["node"], "node"),
        *_node_faults(folder, code["node-library"], "node-library"),
        *_key_pair_faults(folder, code["node-ed25519"]),
        *_shell_faults(folder, code["shell"]),
        *_sender_faults(folder, code["send-standard"], "standard"),
        *_sender_faults(folder, code["send-timestamped"], "timestamped"),
    ]


def trials(secret: str, stranger: str) -> Iterator[tuple[str, Request, bool]]:
    """Requests, and whether they are ours. A stranger's secret signs as well as ours."""
    text = body(random.Random(2))
    content, headers = Signer(secret).request(text)
    yield "ours", (content, headers), True
    yield "two signatures", Signer(stranger, secret).request(text), True
    yield "a stranger's", Signer(stranger).request(text), False
    yield "an altered body", (content + b" ", headers), False
    yield "another id", (content, {**headers, "webhook-id": "another"}), False
    slow = Signer(secret)
    slow.sender._clock_offset -= 400
    yield "too old", slow.request(text), False
    fast = Signer(secret)
    fast.sender._clock_offset += 400
    yield "too new", fast.request(text), False


def _node_faults(folder: Path, code: str, name: str) -> Iterator[str]:
    from webhooks import signatures

    secret = signatures.new_secret()
    with _running(folder, code, secret) as port:
        for what, (content, headers), is_ours in trials(secret, signatures.new_secret()):
            status = _post(port, content, headers)
            if status != (204 if is_ours else 401):
                yield f"{name}: {what} was answered with {status}"
        if _post(port, content, {}) != 401:
            yield f"{name}: no signature at all was taken"


@contextmanager
def _running(folder: Path, code: str, secret: str) -> Iterator[int]:
    """A receiver in Node on a port of its own; it says nothing when it is ready."""
    script = folder / "receiver.js"
    script.write_text(code, "utf-8")
    port = _free_port()
    environment = {"WEBHOOK_SECRET": secret, "PORT": str(port), "NODE_PATH": f"{folder}/modules"}
    with subprocess.Popen(
        ["node", str(script)], env=os.environ | environment, stdout=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.kill()


def _free_port() -> int:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return server.server_port


def _wait_for(port: int) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            _post(port, b"", {})
            return
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _post(port: int, content: bytes, headers: Mapping[str, str]) -> int:
    wire = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        wire.request("POST", "/", content, dict(headers))
        return wire.getresponse().status
    finally:
        wire.close()


# What a receiver with a key pair is asked, because the page shows its check alone.
ASK = """
const asked = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(asked.map(([body, headers]) =>
  isOurs(Buffer.from(body, "base64"), headers))));
"""


def _key_pair_faults(folder: Path, code: str) -> Iterator[str]:
    from webhooks import signatures

    pair = signatures.new_key_pair()
    asked = list(trials(pair.secret, signatures.new_key_pair().secret))
    script = folder / "check.js"
    script.write_text(code + ASK, "utf-8")
    given = [[base64.b64encode(content).decode(), headers] for _, (content, headers), _ in asked]
    environment = {"WEBHOOK_PUBLIC_KEY": pair.public}
    answers = json.loads(_said(["node", str(script)], environment, json.dumps(given)))
    for (what, _, is_ours), taken in zip(asked, answers, strict=True):
        if taken != is_ours:
            yield f"node-ed25519: {what} was taken: {taken}"


def _shell_faults(folder: Path, code: str) -> Iterator[str]:
    from webhooks import signatures

    secret = signatures.new_secret()
    for what, (content, headers), is_ours in trials(secret, signatures.new_secret()):
        (folder / "body").write_bytes(content)
        environment = {"WEBHOOK_SECRET": secret} | {
            name.upper().replace("-", "_"): value
            for name, value in headers.items()
            if name.startswith("webhook-")
        }
        done = subprocess.run(
            ["sh", "-c", code],
            cwd=folder,
            env=os.environ | environment,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        if (done.returncode == 0) != is_ours:
            yield f"shell: {what} ended with {done.returncode}: {done.stderr.decode()}"


def _sender_faults(folder: Path, code: str, scheme: str) -> Iterator[str]:
    """Lets a script of the page send to a socket, and asks the inbound side about it."""
    from webhooks import signatures
    from webhooks.models import Scheme
    from webhooks.services import inbound_sources

    secret = inbound_sources.new_secret(Scheme(scheme))
    with _listening() as (port, heard):
        environment = {"SOURCE_URL": f"http://127.0.0.1:{port}/", "SOURCE_SECRET": secret}
        said = _said(["sh", "-c", code], environment)
    if said != "{}" or not heard:
        yield f"send-{scheme}: nothing came, and this was said: {said}"
        return
    try:
        headers, content = heard[0]
        signatures.verify_inbound(
            scheme, secrets=[secret], headers=headers, body=content, now=time.time()
        )
    except signatures.Unverified as refusal:
        yield f"send-{scheme}: {refusal.code}"


@contextmanager
def _listening() -> Iterator[tuple[int, list[tuple[dict[str, str], bytes]]]]:
    heard: list[tuple[dict[str, str], bytes]] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append(({name.lower(): value for name, value in self.headers.items()}, content))
            self.send_response(202)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing: what a judge says is a fault."""

    with HTTPServer(("127.0.0.1", 0), Ear) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, heard
        finally:
            server.shutdown()
            thread.join()


def _said(command: list[str], environment: Mapping[str, str], given: str = "") -> str:
    done = subprocess.run(
        command,
        env=os.environ | dict(environment),
        input=given,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.stdout.strip() or done.stderr.strip()


def main(what: str, folder: Path) -> int | str:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    if what == "deliveries":
        write_deliveries(folder)
        return 0
    judge = {"signed": faults_in_signed, "receivers": faults_in_receivers}[what]
    return "\n".join(judge(folder)[:20]) or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
