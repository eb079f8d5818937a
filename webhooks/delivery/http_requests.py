"""Sends many requests at once: an event loop in its own thread, and a queue of results.

The thread that begins requests writes rows meanwhile, so results are handed over in batches.
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
from webhooks.delivery.retry_policy import KIND_SENDER_FAILED

log = structlog.get_logger(__name__)

GATHER_SECONDS = 0.02  # results that arrive within this time are handed over together
MAX_RESULTS = 200
GRACE_SECONDS = 5.0  # beyond the deadline, before a request is given up


@dataclass(frozen=True, slots=True)
class OutboundRequest:
    """One request to send. Its result carries the same `key`."""

    key: Hashable
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class RequestResult:
    """The answer to a request, or the reason why there is none (`error_kind`).

    `began_at` is on the monotonic clock. `excerpt` may be stored and shown.
    """

    key: Hashable
    began_at: float
    duration_ms: int
    status_code: int | None = None
    error_kind: str = ""
    address: str | None = None
    excerpt: str = ""
    retry_after: str = ""


class RequestLoop:
    """A context in which one thread begins requests and collects their results."""

    def __init__(self, *, deadline_seconds: float) -> None:
        self.in_flight = 0
        self._deadline = deadline_seconds
        self._done: queue.SimpleQueue[RequestResult] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="webhook-requests", daemon=True)

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

    def begin(self, requests: Iterable[OutboundRequest]) -> None:
        """Begin the requests at once; `results` returns their results as they end."""
        chosen = list(requests)
        self.in_flight += len(chosen)
        self._loop.call_soon_threadsafe(self._create_tasks, chosen)

    def results(self, *, wait: float) -> list[RequestResult]:
        """The results so far, waiting up to `wait` seconds for the first."""
        try:
            results = [self._done.get(timeout=wait)]
        except queue.Empty:
            return []
        if self.in_flight > 1:
            # Rows are written in batches: a short wait saves many transactions.
            time.sleep(GATHER_SECONDS)
        while len(results) < MAX_RESULTS and not self._done.empty():
            results.append(self._done.get_nowait())
        self.in_flight -= len(results)
        return results

    # --- In the thread of the event loop -------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        try:
            client = Client()
        except Exception as error:  # noqa: BLE001 - raised in the thread that waits for it
            self._ready.put(error)
            return
        async with client as self._client:
            self._ready.put(None)
            await self._stop.wait()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _create_tasks(self, requests: list[OutboundRequest]) -> None:
        for request in requests:
            task = self._loop.create_task(self._send(request))
            self._tasks.add(task)  # the loop itself holds tasks weakly
            task.add_done_callback(self._tasks.discard)

    async def _send(self, request: OutboundRequest) -> None:
        began_at = time.monotonic()
        try:
            answer = await self._client.post(
                request.url,
                body=request.body,
                headers=request.headers,
                deadline_seconds=self._deadline,
            )
        except NotDelivered as failure:
            result = RequestResult(
                request.key,
                began_at,
                _milliseconds_since(began_at),
                error_kind=failure.kind,
                address=failure.address,
            )
        except Exception:
            log.exception("webhook.request_failed", key=str(request.key))
            result = RequestResult(
                request.key,
                began_at,
                _milliseconds_since(began_at),
                error_kind=KIND_SENDER_FAILED,
            )
        else:
            result = RequestResult(
                request.key,
                began_at,
                answer.duration_ms,
                status_code=answer.status,
                address=answer.address,
                excerpt=readable(answer.excerpt),
                retry_after=answer.headers.get("retry-after", ""),
            )
        self._done.put(result)


def _milliseconds_since(began_at: float) -> int:
    return round(1000 * (time.monotonic() - began_at))
