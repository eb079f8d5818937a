"""Request bodies that arrive completely before a thread is given to the request.

`core.http.gateway` gathers small bodies first. A large one is left on the connection: the request
runs with an `Announced` body, and a view that has accepted the head of the request (who asks, what
for, how many bytes) reads. That raises `BodyAwaited`; the gateway gathers the body into the sink
that the view wants, and runs the request a second time with the body at hand.

Under a plain WSGI server, and in tests, a view reads from the connection as usual.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, Protocol, TypeVar

from django.conf import settings
from django.http import HttpRequest

from core import errors
from core.files.errors import storage_errors
from core.files.incoming import BLOCK_BYTES, UploadIncomplete, upload_folder
from core.http.parsers import announced_length

SINK = "minutebook.sink"  # of the WSGI environ: what a gathered body was written to


class Sink(Protocol):
    """Takes the blocks of a body as they arrive. Each method may raise a refusal."""

    stream: IO[bytes]  # what a view reads as the body of the request, once it is whole

    def take(self, block: bytes, /) -> None: ...

    def finish(self) -> None: ...

    def discard(self) -> None: ...


AnySink = TypeVar("AnySink", bound=Sink)


class BodyAwaited(BaseException):
    """A view wants a body that has not arrived. Not an Exception: no view must catch it."""

    def __init__(self, open_sink: Callable[[], Sink]) -> None:
        self.open_sink = open_sink
        super().__init__()


@storage_errors()
def unnamed_file() -> IO[bytes]:
    """A file that is gone once it is closed, on the disk of uploads: /tmp is often memory."""
    return tempfile.TemporaryFile(dir=upload_folder())


class FileSink:
    """Keeps a body in an unnamed file: a thousand of them must fit on this machine."""

    def __init__(self, announced: int) -> None:
        if announced > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise errors.TooLarge
        self.stream = unnamed_file()

    @storage_errors()
    def take(self, block: bytes) -> None:
        self.stream.write(block)

    def finish(self) -> None:
        self.stream.seek(0)

    def discard(self) -> None:
        self.stream.close()


class Announced:
    """The body of a request of which only the head has arrived."""

    def __init__(self, length: int) -> None:
        self._length = length

    def read(self, *_size: int) -> bytes:
        raise BodyAwaited(lambda: FileSink(self._length))

    readline = read


@contextmanager
def received(request: HttpRequest, open_sink: Callable[[], AnySink]) -> Iterator[AnySink]:
    """The whole body in a sink, which is discarded after the block.

    Raises what the sink raises, and UploadIncomplete when the client hangs up.
    """
    gathered = request.META.get(SINK)
    if gathered is not None:  # the gateway discards it
        yield gathered
        return
    if isinstance(request.META["wsgi.input"], Announced):
        raise BodyAwaited(open_sink)
    sink = open_sink()
    try:
        _copy(request, sink)
        yield sink
    finally:
        sink.discard()


def _copy(request: Any, sink: Sink) -> None:
    left = announced_length(request)
    while left:
        try:
            block = request.read(min(BLOCK_BYTES, left))
        except OSError as error:  # the client hung up
            raise UploadIncomplete from error
        if not block:
            raise UploadIncomplete
        sink.take(block)
        left -= len(block)
    sink.finish()
