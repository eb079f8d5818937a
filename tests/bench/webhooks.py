"""Webhooks: what a delivery costs, how many go at once, and who waits for whom.

Receivers are processes of their own, so that their work is not counted. Relay and worker run as in
production, on the servers with production's durability. CPU is measured in turns with the two
peers; each figure is the best of its rounds.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.accounts.models import Organization
from core.db.clock import database_now
from core.events import services as events
from core.jobs import worker
from core.jobs.models import Job
from meetings.events import MEETING_CREATED
from tests import make
from tests.bench.harness import Compare, Goal, fastest
from tests.bench.jobs import _cpu, _servers
from tests.bench.receivers import Customer, customer
from tests.processes import House, house, wait_until
from tests.webhooks.sending import blocks_of, create_waiting_deliveries
from webhooks import signatures
from webhooks.delivery.http_requests import RequestLoop
from webhooks.delivery.retry_policy import RetryDecision
from webhooks.models import Delivery, DeliveryAttempt, DeliveryStatus, Endpoint
from webhooks.services import claiming, outcomes, sender_jobs, senders
from webhooks.services.claiming import ClaimedDelivery
from webhooks.services.outcomes import EndpointUpdate

HERE = ["127.0.0.0/8"]
BODY = '{"data":{"text":"%s"},"type":"meeting.created"}' % ("x" * 2000)
SECRET = signatures.new_secret()
EXCHANGES, AT_ONCE = 600, 32
ROWS, BATCH = 4000, 128
SLOW_DELIVERIES, SLOW_ENDPOINTS, ONE_BY_ONE = 4000, 10, 25
EVENTS, EVENTS_PER_SECOND = 500, 50.0
DRAINED = 10_000
FAIR_EVENTS, FAIR_PER_SECOND, FAIR_ENDPOINTS = 80, 10.0, 10
FEW, MANY = 2_000, 200_000
OVERLAP = 40

Sending = Callable[[], None]


def measure() -> list[Goal]:
    """The goals of outbound webhooks."""
    settings.SSRF_ALLOW_CIDRS, settings.OUTBOUND_ALLOW_HTTP = HERE, True
    with customer() as receiver:
        goals = _cpu_of_an_exchange(receiver) + _cpu_of_rows() + _overlap(receiver)
        with _running("relay", "sending"):
            goals += _throughput(receiver) + _latency(receiver) + _drain(receiver)
            goals += _fairness(receiver)
    return goals + _log_search()


@contextlib.contextmanager
def _running(*names: str) -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="minutebook-bench-"))
    with house(
        folder,
        JOB_LEASE_SECONDS="30",
        RELAY_PERIOD_SECONDS="1",
        SSRF_ALLOW_CIDRS=",".join(HERE),
        OUTBOUND_ALLOW_HTTP="true",
        LOG_LEVEL="WARNING",
    ) as started:
        for name in names:
            started.start(name)
        _forget()
        warm = make.endpoint(url="http://127.0.0.1:1/")
        _owe_and_wait([warm], 1, attempts=1)
        yield started


def _forget() -> None:
    """All deliveries and endpoints there are."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE webhooks_delivery, webhooks_deliveryattempt")
        cursor.execute("DELETE FROM webhooks_endpointsecret")
        cursor.execute("DELETE FROM webhooks_endpoint")
        cursor.execute("DELETE FROM core_event")


# --- 1. What an exchange costs, and what its rows do ---------------------------------------------


def _cpu_of_an_exchange(receiver: Customer) -> list[Goal]:
    """HTTP and signing alone: no rows, on connections that are kept."""
    url = receiver.url("fast/cpu")
    ways: dict[str, Sending] = {
        "ours": partial(_send_ours, url),
        "bare": partial(_send_bare, receiver.port),
        "session": partial(_send_by_session, url),
    }
    whole = fastest({name: _process_cpu_of(work) for name, work in ways.items()}, rounds=8)
    each = {name: 1e6 * seconds / EXCHANGES for name, seconds in whole.items()}
    ours = each["ours"]
    return [
        Goal("CPU of a signed exchange", None, ours, "us"),
        Goal("exchange / bare http.client with HMAC, CPU", 2, ours / each["bare"]),
        Goal(
            "requests.Session with HMAC / exchange, CPU",
            4,
            each["session"] / ours,
            compare=Compare.AT_LEAST,
        ),
    ]


def _process_cpu_of(work: Sending) -> Callable[[], float]:
    def run() -> float:
        before = time.process_time()
        work()
        return time.process_time() - before

    return run


def _send_ours(url: str) -> None:
    """As a sender does, from what it took to the decision."""
    endpoint_id = uuid.uuid4()
    with RequestLoop(deadline_seconds=10) as requests:
        sender = senders.Sender(requests)
        sender._secrets._secrets[endpoint_id] = (SECRET,)
        left, done = EXCHANGES, 0
        while done < EXCHANGES:
            some = min(AT_ONCE - requests.in_flight, left)
            taken = [_taken(endpoint_id, url) for _ in range(some)]
            left -= some
            sender._claimed |= {one.key: one for one in taken}
            sender.begin(taken)
            for result in requests.results(wait=5):
                assert sender._outcome(result).status_code == 200
                done += 1


def _taken(endpoint_id: uuid.UUID, url: str) -> ClaimedDelivery:
    event_id = uuid.uuid4()
    return ClaimedDelivery(
        uuid.uuid4(),
        1,
        event_id,
        "meeting.created",
        BODY,
        0,
        endpoint_id,
        url,
        must_record_success=False,
        claimed_at=0.0,
    )


def _signed() -> tuple[bytes, dict[str, str]]:
    """What a short program of one's own would send."""
    body, message_id, timestamp = BODY.encode(), str(uuid.uuid4()), str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return body, {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{digest}",
    }


def _send_bare(port: int, path: str = "/fast/cpu", many: int = EXCHANGES) -> None:
    kept = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(many):
        body, headers = _signed()
        kept.request("POST", path, body, headers)
        answer = kept.getresponse()
        answer.read()
        assert answer.status == 200
    kept.close()


def _send_by_session(url: str) -> None:
    with requests.Session() as session:
        for _ in range(EXCHANGES):
            body, headers = _signed()
            assert session.post(url, data=body, headers=headers, timeout=10).status_code == 200


def _cpu_of_rows() -> list[Goal]:
    """Taking deliveries and writing what came of them, with nothing sent in between."""
    _forget()
    for _ in range(SLOW_ENDPOINTS):
        create_waiting_deliveries(
            _endpoint("http://127.0.0.1:1/"), ROWS // SLOW_ENDPOINTS, body=BODY
        )
    _analyze()
    before, mine, done = _cpu(_servers()), time.process_time(), 0
    while taken := claiming.claim(free=BATCH):
        done += outcomes.record_outcomes([_received(one) for one in taken]).recorded
    assert done == ROWS
    mine = time.process_time() - mine
    theirs = _cpu(_servers()) - before
    return [
        Goal("CPU of a delivery's rows: sender", None, 1e6 * mine / ROWS, "us"),
        Goal("CPU of a delivery's rows: database", None, 1e6 * theirs / ROWS, "us"),
    ]


def _received(one: ClaimedDelivery) -> outcomes.Outcome:
    decision = RetryDecision(DeliveryStatus.SUCCEEDED)
    return outcomes.Outcome(
        one.id, one.token, one.endpoint_id, one.url, decision, one.claimed_at, 5, 200, "127.0.0.1",
        "ok", EndpointUpdate.REQUIRED if one.must_record_success else EndpointUpdate.OPTIONAL,
    )  # fmt: skip


# --- 2. to 5. With relay and worker ---------------------------------------------------------------


def _throughput(receiver: Customer) -> list[Goal]:
    """Receivers that take 100 ms, against two workers that send one after another."""
    begun = time.perf_counter()
    peers = [
        threading.Thread(target=_send_bare, args=(receiver.port, "/slow/one", ONE_BY_ONE))
        for _ in range(2)
    ]
    for peer in peers:
        peer.start()
    for peer in peers:
        peer.join()
    one_by_one = 2 * ONE_BY_ONE / (time.perf_counter() - begun)
    _forget()
    endpoints = [_endpoint(receiver.url(f"slow/{n}")) for n in range(SLOW_ENDPOINTS)]
    _owe_and_wait(endpoints, SLOW_DELIVERIES // SLOW_ENDPOINTS)
    rate = SLOW_DELIVERIES / _seconds_at_work()
    return [
        Goal("two workers, one at a time, 100 ms", None, one_by_one, "a second"),
        Goal("senders, ten receivers of 100 ms", None, rate, "a second"),
        Goal("senders / two workers, 100 ms", 20, rate / one_by_one, compare=Compare.AT_LEAST),
    ]


def _latency(receiver: Customer) -> list[Goal]:
    """From the commit of an event to its first attempt, while 50 come in every second."""
    _forget()
    endpoint = _endpoint(receiver.url("fast/latency"))
    _publish(endpoint.organization, EVENTS, EVENTS_PER_SECOND)
    _wait_until_sent(EVENTS)
    waits = _sorted_seconds("attempt.started_at - event.occurred_at")
    return [
        Goal("event to first attempt, median", None, statistics.median(waits), "s"),
        Goal("event to first attempt, p95, 50 events/s", 2, _p95(waits), "s"),
    ]


def _drain(receiver: Customer) -> list[Goal]:
    """A backlog of ten thousand at ten endpoints."""
    _forget()
    endpoints = [_endpoint(receiver.url(f"fast/{n}")) for n in range(10)]
    receiver.count()
    _owe_and_wait(endpoints, DRAINED // 10)
    took = _seconds_at_work()
    got, different = receiver.count()
    return [
        Goal("10,000 deliveries drained", 180, took, "s"),
        Goal("of these, sent more than once", 0, got - different, compare=Compare.EQUAL),
    ]


def _fairness(receiver: Customer) -> list[Goal]:
    """What the healthy nine of ten endpoints notice of one that never answers."""
    found: dict[str, list[float]] = {"fast": [], "silent": []}
    for _ in range(2):
        for tenth, p95s in found.items():
            p95s.append(_p95_of_nine(receiver, tenth))
    alone, beside = min(found["fast"]), min(found["silent"])
    return [
        Goal("p95 of ten healthy endpoints", None, 1000 * alone, "ms"),
        Goal("p95 of nine beside a dead one / without it", 1.2, beside / alone),
    ]


def _p95_of_nine(receiver: Customer, tenth: str) -> float:
    _forget()
    owner = Organization.objects.create(name="Fair")
    last = _endpoint(receiver.url(f"{tenth}/last"), organization=owner)
    for number in range(FAIR_ENDPOINTS - 1):
        _endpoint(receiver.url(f"fast/{number}"), organization=owner)
    _publish(owner, FAIR_EVENTS, FAIR_PER_SECOND)
    _wait_until_sent(FAIR_EVENTS * (FAIR_ENDPOINTS - 1), besides=last)
    waits = _sorted_seconds("delivery.ended_at - delivery.created_at", besides=last)
    Endpoint.objects.filter(id=last.id).update(
        disabled_at=database_now(), disabled_reason="by_hand"
    )
    running = Delivery.objects.filter(status=DeliveryStatus.RUNNING)
    wait_until(lambda: not running.exists(), "nothing is in flight", every=0.2)
    return _p95(waits)


def _endpoint(url: str, **fields: Any) -> Endpoint:
    """One that has answered well before."""
    return make.endpoint(url=url, last_success_at=database_now(), **fields)


def _publish(organization: Organization, many: int, per_second: float) -> None:
    begun = time.perf_counter()
    for number in range(many):
        time.sleep(max(0.0, begun + number / per_second - time.perf_counter()))
        with transaction.atomic():
            data = {"meeting_id": str(uuid.uuid4()), "revision": 1}
            events.publish(MEETING_CREATED, organization_id=organization.id, data=data)


def _owe_and_wait(endpoints: list[Endpoint], each: int, *, attempts: int = 0) -> None:
    with transaction.atomic():
        for endpoint in endpoints:
            create_waiting_deliveries(endpoint, each, body=BODY)
        sender_jobs.request_sender()
    _analyze()
    if attempts:
        wait_until(lambda: DeliveryAttempt.objects.count() >= attempts, "it was tried", every=0.1)
    else:
        _wait_until_sent(each * len(endpoints))


def _wait_until_sent(many: int, *, besides: Endpoint | None = None) -> None:
    sent = Delivery.objects.filter(status=DeliveryStatus.SUCCEEDED)
    if besides is not None:
        sent = sent.exclude(endpoint=besides)
    wait_until(lambda: sent.count() >= many, f"{many} are sent", patience=240, every=0.25)


def _seconds_at_work() -> float:
    """From the first attempt to the last outcome."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXTRACT(epoch FROM max(ended_at) - (SELECT min(started_at)"
            " FROM webhooks_deliveryattempt))::float8 FROM webhooks_delivery"
        )
        return float(cursor.fetchone()[0])


def _sorted_seconds(between: str, *, besides: Endpoint | None = None) -> list[float]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXTRACT(epoch FROM {between})::float8"
            " FROM webhooks_delivery AS delivery"
            " JOIN webhooks_deliveryattempt AS attempt ON attempt.delivery_id = delivery.id"
            " JOIN core_event AS event ON event.id = delivery.event_id"
            " WHERE attempt.number = 1 AND delivery.endpoint_id IS DISTINCT FROM %s ORDER BY 1",
            [besides.id if besides else None],
        )
        return [row[0] for row in cursor.fetchall()]


def _p95(values: list[float]) -> float:
    return values[int(0.95 * len(values))]


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE webhooks_delivery, webhooks_endpoint, webhooks_deliveryattempt")


# --- 6. The log -----------------------------------------------------------------------------------

HISTORY = """
WITH event AS (
    INSERT INTO core_event (id, created_at, updated_at, organization_id, type, version,
        request_id, occurred_at, data, finished, tries, last_error, fanned_out_at)
    SELECT gen_random_uuid(), at, at, %(organization)s,
           CASE WHEN n %% 997 = 7 THEN 'export.failed' ELSE 'meeting.created' END, 1, '', at,
           jsonb_build_object('n', n), '[]', 1, '', at
      FROM (SELECT n, now() - make_interval(secs => n) AS at
              FROM generate_series(1, %(many)s) AS n) AS past
    RETURNING id, occurred_at, type, (data ->> 'n')::int AS n
)
INSERT INTO webhooks_delivery (id, created_at, updated_at, organization_id, event_id, endpoint_id,
    event_type, body, status, attempt_count, lease_token, last_error_kind, ended_at)
SELECT gen_random_uuid(), occurred_at, occurred_at, %(organization)s, id,
       (%(endpoints)s::uuid[])[1 + n %% 20], type, '{}',
       CASE WHEN n %% 499 = 3 THEN 'dead' ELSE 'succeeded' END, 1, 1, '', occurred_at
  FROM event
"""


def _log_search() -> list[Goal]:
    """Blocks that each filter of the log touches, in a log of 200,000 deliveries."""
    _forget()
    actor = make.actor()
    endpoints = [make.endpoint(organization=actor.organization) for _ in range(20)]
    client = make.client(actor)
    few = _log_blocks(client, actor.organization, endpoints, FEW)
    many = _log_blocks(client, actor.organization, endpoints, MANY - FEW)
    goals = [
        Goal(f"blocks of the log by {name}, {MANY:,} rows", 150, blocks)
        for name, blocks in many.items()
    ]
    worst = max(many[name] / few[name] for name in few)
    return [*goals, Goal(f"worst of these against {FEW:,} rows", None, worst)]


def _log_blocks(
    client: Any, organization: Organization, endpoints: list[Endpoint], more: int
) -> dict[str, int]:
    values: dict[str, Any] = {
        "organization": organization.id,
        "many": more,
        "endpoints": [one.id for one in endpoints],
    }
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '10min'")
        cursor.execute(HISTORY, values)
        cursor.execute("VACUUM ANALYZE webhooks_delivery")
        cursor.execute("VACUUM ANALYZE core_event")
    middle: Any = Delivery.objects.order_by("created_at")[more // 2]
    moment: datetime = middle.created_at
    filters: dict[str, dict[str, str]] = {
        "nothing": {},
        "status": {"status": "dead"},
        "type": {"event_type": "export.failed"},
        "endpoint": {"endpoint": str(endpoints[3].id)},
        "event": {"event": str(middle.event_id)},
        "time": {"created_before": moment.isoformat()},
        "endpoint and time": {
            "endpoint": str(endpoints[5].id),
            "created_before": moment.isoformat(),
        },
        "endpoint and status": {"endpoint": str(endpoints[3].id), "status": "dead"},
        "status and type": {"status": "dead", "event_type": "meeting.created"},
    }
    return {name: _blocks_of_page(client, wanted) for name, wanted in filters.items()}


def _blocks_of_page(client: Any, wanted: dict[str, str]) -> int:
    address = "/api/v1/webhooks/deliveries/"
    client.get(address, wanted, SERVER_NAME="localhost")
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address, wanted, SERVER_NAME="localhost")
    assert answer.status_code == 200, answer.content
    assert answer.json()["results"], wanted
    pages = [one["sql"] for one in captured if 'FROM "webhooks_delivery"' in one["sql"]]
    return sum(blocks_of(sql.replace("%", "%%"), {}) for sql in pages)


# --- 7. Two at the same instant -------------------------------------------------------------------


def _overlap(receiver: Customer) -> list[Goal]:
    """Two dispatch passes over 40 deliveries that begin together."""
    _forget()
    settings.WEBHOOK_SENDER_IDLE_SECONDS = 0.2
    for number in range(4):
        create_waiting_deliveries(
            _endpoint(receiver.url(f"fast/{number}")), OVERLAP // 4, body=BODY
        )
    receiver.count()
    start = threading.Barrier(2)
    passes = [threading.Thread(target=_pass, args=(slot, start)) for slot in range(2)]
    for one in passes:
        one.start()
    for one in passes:
        one.join()
    got, different = receiver.count()
    assert different == OVERLAP, (got, different)
    return [Goal("two passes over 40 at once: sent twice", 0, got - OVERLAP, compare=Compare.EQUAL)]


def _pass(slot: int, start: threading.Barrier) -> None:
    try:
        with transaction.atomic():
            sender_jobs.request_sender(slot=slot)
        job = Job.objects.filter(kind=sender_jobs.KIND, dedup_key=f"sender-{slot}").latest(
            "created_at"
        )
        start.wait()
        worker.perform(str(job.id))
    finally:
        connection.close()
