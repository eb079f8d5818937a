"""Many exchanges at once: an event loop in a thread of its own, and a queue of what came of them.

The thread that begins exchanges writes rows meanwhile; it is never woken for one of them alone.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog

from core.outbound.client import Client, NotDelivered
from webhooks.delivery.excerpts import readable
from webhooks.delivery.retry_policy import IS_OURS

log = structlog.get_logger(__name__)

GATHER_SECONDS = 0.02  # what ends within this is taken together
MOST_TOGETHER = 200
GRACE_SECONDS = 5.0  # beyond the deadline, before an exchange is given up


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to make. `key` is the asker's, to know the result by."""

    key: Hashable
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an exchange: an answer's status, or why there was none (`error_kind`).

    `began_at` is on the monotonic clock. `excerpt` is fit to be kept and shown.
    """

    key: Hashable
    began_at: float
    duration_ms: int
    status_code: int | None = None
    error_kind: str = ""
    address: str | None = None
    excerpt: str = ""
    retry_after: str = ""


class Exchanges:
    """A context in which exchanges are begun and their results taken, by one thread."""

    def __init__(self, *, deadline_seconds: float) -> None:
        self.in_flight = 0
        self._deadline = deadline_seconds
        self._done: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._serve, name="exchanges", daemon=True)

    def __enter__(self) -> Self:
        self._ready: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._thread.start()
        error = self._ready.get()
        if error is not None:
            raise error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def begin(self, exchanges: Iterable[Exchange]) -> None:
        """Begin each at once; `results` gives what came of them, in the order in which they end."""
        chosen = list(exchanges)
        self.in_flight += len(chosen)
        self._loop.call_soon_threadsafe(self._begin, chosen)

    def results(self, *, wait: float) -> list[Result]:
        """What has ended, waiting up to so many seconds for the first; several at a time."""
        try:
            results = [self._done.get(timeout=wait)]
        except queue.Empty:
            return []
        if self.in_flight > 1:
            time.sleep(GATHER_SECONDS)
        while len(results) < MOST_TOGETHER and not self._done.empty():
            results.append(self._done.get_nowait())
        self.in_flight -= len(results)
        return results

    # --- In the thread of the event loop -------------------------------------------------------

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._live())
        finally:
            self._loop.close()

    async def _live(self) -> None:
        try:
            client = Client()
        except Exception as error:  # noqa: BLE001 - it belongs into the thread that waits for it
            self._ready.put(error)
            return
        async with client as self._client:
            self._ready.put(None)
            await self._stop.wait()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, exchanges: list[Exchange]) -> None:
        for exchange in exchanges:
            task = self._loop.create_task(self._exchange(exchange))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _exchange(self, exchange: Exchange) -> None:
        began_at = time.monotonic()
        try:
            result = await self._post(exchange, began_at)
        except Exception:
            log.exception("webhook.exchange_failed", key=str(exchange.key))
            result = Result(exchange.key, began_at, _since(began_at), error_kind=IS_OURS)
        self._done.put(result)

    async def _post(self, exchange: Exchange, began_at: float) -> Result:
        try:
            answer = await self._client.post(
                exchange.url,
                body=exchange.body,
                headers=exchange.headers,
                deadline_seconds=self._deadline,
            )
        except NotDelivered as failure:
            return Result(
                exchange.key,
                began_at,
                _since(began_at),
                error_kind=failure.kind,
                address=failure.address,
            )
        return Result(
            exchange.key,
            began_at,
            answer.duration_ms,
            status_code=answer.status,
            address=answer.address,
            excerpt=readable(answer.excerpt),
            retry_after=answer.headers.get("retry-after", ""),
        )


def _since(moment: float) -> int:
    return round(1000 * (time.monotonic() - moment))
