"""The processes of an installation and the one command of each.

`./mb dev` runs them on one machine; docker-compose.yml runs the same commands, one per container,
with a worker for each queue. A test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.jobs.queues import QUEUES

WEB_THREADS, WEB_CONNECTIONS = 8, 8192
CELERY = ("celery", "--quiet", "--app", "config.celery")
WORKER = (*CELERY, "worker", "--without-gossip", "--without-mingle", "--loglevel", "INFO")

# Speech takes minutes and every core it is given, and senders stay while there is anything to send:
# each would leave no process to other work.
SPEECH, SENDING = "transcription", "webhook"


@dataclass(frozen=True, slots=True)
class Process:
    """A long-running command. `meaning` says what stands still while it is away.

    An optional one is only started by request: others do the same work.
    """

    name: str
    description: str
    command: tuple[str, ...]
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Worker:
    """A Celery worker: the queues it serves and how many of their jobs it does at once."""

    name: str
    description: str
    queues: tuple[str, ...]
    concurrency: int


REST = tuple(queue for queue in QUEUES if queue not in (SPEECH, SENDING))
# A laptop: one worker for speech, one for sending, one for everything else.
FEW_WORKERS = (
    Worker("speech", "speech to text", (SPEECH,), 2),
    Worker("sending", "telling other systems", (SENDING,), 4),
    Worker("worker", "all other background work", REST, 2),
)
# A server: a flood in one queue takes no process, and no memory, from another.
WORKER_PER_QUEUE = tuple(
    Worker(f"worker-{queue.name}", queue.description, (queue.name,), queue.concurrency)
    for queue in QUEUES.values()
)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the processes listen and keep their files."""

    host: str = "0.0.0.0"  # noqa: S104 - inside a container; `./mb dev` listens on the loopback only
    port: int = 8000
    flower_port: int = 5555
    schedule_file: str = "celerybeat-schedule"
    grace_seconds: int = 60


def processes(places: Places, workers: tuple[Worker, ...] = FEW_WORKERS) -> dict[str, Process]:
    """Every process by its name."""
    listed = (
        Process("web", "the REST API, the admin and the docs", _web(places)),
        *(Process(one.name, one.description, _worker(one, places)) for one in workers),
        Process("relay", "work by the clock and what was missed", ("python", "manage.py", "relay")),
        Process(
            "beat", "nothing: it asks for what the relay asks for", _beat(places), is_optional=True
        ),
        Process("flower", "the page that shows the workers", _flower(places)),
    )
    return {process.name: process for process in listed}


def _web(places: Places) -> tuple[str, ...]:
    """Django's WSGI handler behind `core.http.gateway`, which does all waiting for clients."""
    server = ("granian", "--interface", "asginl", "--http", "1", "--no-ws", "--no-access-log")
    listen = ("--host", places.host, "--port", str(places.port))
    # Idle connections count too, and an idle client must not keep others out.
    connections = ("--workers", "1", "--backpressure", str(WEB_CONNECTIONS))
    stop = ("--workers-kill-timeout", str(places.grace_seconds))
    return (*server, *listen, *connections, *stop, "config.asgi:application")


def _worker(worker: Worker, places: Places) -> tuple[str, ...]:
    """The port keeps the names of two installations on one machine apart."""
    node = f"{worker.name}-{places.port}@%h"
    queues, concurrency = ",".join(worker.queues), str(worker.concurrency)
    return (*WORKER, "--hostname", node, "-Q", queues, "-c", concurrency)


def _beat(places: Places) -> tuple[str, ...]:
    return (*CELERY, "beat", "--loglevel", "WARNING", "--pidfile=", "-s", places.schedule_file)


def _flower(places: Places) -> tuple[str, ...]:
    """The user and password come from FLOWER_BASIC_AUTH: a command line is no place for them."""
    return (*CELERY, "flower", f"--address={places.host}", f"--port={places.flower_port}")
