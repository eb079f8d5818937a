"""A customer's server that costs little: `python -m tests.bench.receivers` says its port.

The first part of a path says what it does: /fast/ answers at once, /slow/ after 100 ms, /silent/
never. GET answers how many requests came in, and how many ids among them were different.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

SLOW_SECONDS = 0.1
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
IDS: list[bytes] = []


class Receiver(asyncio.Protocol):
    """One connection; its requests come one after another."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.pending = b""

    def data_received(self, data: bytes) -> None:
        self.pending += data
        head, end, rest = self.pending.partition(b"\r\n\r\n")
        if not end:
            return
        method, path, _ = head.split(b" ", 2)
        length = int(_header(head, b"content-length") or 0)
        if len(rest) < length:
            return
        self.pending = rest[length:]
        if method == b"GET":
            told = json.dumps({"requests": len(IDS), "ids": len(set(IDS))}).encode()
            self._say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(told), told))
            IDS.clear()
        else:
            IDS.append(_header(head, b"webhook-id"))
            self._answer(path)

    def _answer(self, path: bytes) -> None:
        if path.startswith(b"/slow/"):
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self._say, ANSWER)
        elif path.startswith(b"/fast/"):
            self._say(ANSWER)

    def _say(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)


def _header(head: bytes, name: bytes) -> bytes:
    _, found, rest = head.lower().partition(b"\r\n" + name + b":")
    return rest.partition(b"\r\n")[0].strip() if found else b""


async def serve() -> None:
    """Until somebody ends it."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiver, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@dataclass(frozen=True, slots=True)
class Customer:
    """The server from outside."""

    port: int

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def count(self) -> tuple[int, int]:
        """Requests since the last look, and different ids among them."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", "/")
        told = json.loads(connection.getresponse().read())
        connection.close()
        return told["requests"], told["ids"]


@contextlib.contextmanager
def customer() -> Iterator[Customer]:
    """Such a server in a process of its own, for the time of the block."""
    command = [sys.executable, "-m", "tests.bench.receivers"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield Customer(int(process.stdout.readline()))
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(serve())
