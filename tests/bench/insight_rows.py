"""Writing and reading the 3,000 segments of a long meeting, beside bare PostgreSQL.

Both sides of a ratio are timed in alternating rounds of one run, and the fastest round of each
counts: whatever else the machine does only ever adds time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

import orjson
import psycopg
from psycopg.types.json import set_json_loads

from tests.bench.harness import Goal

SEGMENTS = 3000
WORDS = 14  # in a segment
ROUNDS = 9
WARM_UP = 2

Work = Callable[[], object]


def rows_goals() -> list[Goal]:
    """Insert against a bare COPY of the same rows, read against tuples and orjson."""
    import django

    django.setup()
    transcript = _transcript()
    inserted, copied = fastest(*_inserts(transcript), between=_empty)
    read, tuples = fastest(*_reads(transcript), between=lambda: None)
    return [
        Goal(f"insert {SEGMENTS:,} segments / bare COPY", 1.3, inserted / copied),
        Goal(f"read {SEGMENTS:,} segments / tuples and orjson", 2.0, read / tuples),
        Goal("insert, fastest round", 200, inserted * 1000, "ms", enforced=False),
        Goal("read, fastest round", 100, read * 1000, "ms", enforced=False),
    ]


def fastest(ours: Work, theirs: Work, *, between: Work) -> tuple[float, float]:
    """Seconds of the fastest round of each, the two taking turns at going first."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(WARM_UP + ROUNDS):
        pair = ((0, ours), (1, theirs))
        for side, work in pair if number % 2 else reversed(pair):
            between()
            started = time.perf_counter()
            work()
            times[side].append(time.perf_counter() - started)
    return min(times[0][WARM_UP:]), min(times[1][WARM_UP:])


def _connection() -> psycopg.Connection[Any]:
    """Django's own connection without Django: the same settings on both sides."""
    from django.db import connection

    connection.ensure_connection()
    return cast("psycopg.Connection[Any]", connection.connection)


# --- Writing ------------------------------------------------------------------------------------


def _inserts(transcript: Any) -> tuple[Work, Work]:
    """What the service does with a finished text, and the same rows as bytes that were ready."""
    from django.db import connection, transaction

    from meetings.services.segments import COPY_SEGMENTS, copy_segments

    pieces = _pieces(transcript)

    def ours() -> None:
        with transaction.atomic():
            copy_segments(transcript, pieces)

    ours()
    ready = _copied_out(COPY_SEGMENTS)

    def theirs() -> None:
        with (
            transaction.atomic(),
            connection.cursor() as cursor,
            cursor.copy(COPY_SEGMENTS) as copy,
        ):
            copy.write(ready)

    return ours, theirs


def _copied_out(statement: str) -> bytes:
    """The rows of the table as COPY reads them in again."""
    columns = statement.partition("(")[2].partition(")")[0]
    query = f"COPY (SELECT {columns} FROM meetings_segment ORDER BY position) TO STDOUT"
    with _connection().cursor() as cursor, cursor.copy(query) as copy:
        return b"".join(copy)


def _empty() -> None:
    from meetings.models import Segment

    Segment.objects.all().delete()


# --- Reading ------------------------------------------------------------------------------------


def _reads(transcript: Any) -> tuple[Work, Work]:
    """The segments as the endpoint writes them, and the same columns as tuples."""
    from core.http.renderers import to_json
    from meetings import queries
    from meetings.api.transcripts import shown_segments
    from meetings.services.segments import copy_segments

    _empty()
    copy_segments(transcript, _pieces(transcript))
    bare = _connection()
    set_json_loads(orjson.loads, bare)

    def ours() -> bytes:
        return to_json(shown_segments(queries.segment_rows(transcript), [transcript]))

    def theirs() -> bytes:
        rows = bare.execute(READ, (transcript.id,)).fetchall()
        return orjson.dumps(rows)

    _compare(orjson.loads(ours()), orjson.loads(theirs()))
    return ours, theirs


READ = """
SELECT segment.id, segment.transcript_id, transcript.recording_id, segment.position, speaker.label,
       segment.start_ms, segment.end_ms, segment.text, segment.confidence, segment.words
  FROM meetings_segment AS segment
  JOIN meetings_transcript AS transcript ON transcript.id = segment.transcript_id
  LEFT JOIN meetings_speaker AS speaker ON speaker.id = segment.speaker_id
 WHERE segment.transcript_id = %s
 ORDER BY segment.position
"""


def _compare(shown: list[dict[str, Any]], rows: list[list[Any]]) -> None:
    """Both sides read the same, or the ratio means nothing."""
    assert len(shown) == SEGMENTS
    for segment, row in zip(shown, rows, strict=True):
        words = [list(word.values()) for word in segment.pop("words")]
        assert [*segment.values(), words] == row


# --- The meeting --------------------------------------------------------------------------------


def _transcript() -> Any:
    from meetings.services.segments import create_speakers
    from tests import make

    transcript = make.transcript(recording=make.recording(meeting=make.meeting()), texts=())
    transcript.speakers.all().delete()
    create_speakers(transcript, [f"Speaker {number}" for number in range(4)])
    return transcript


def _pieces(transcript: Any) -> list[Any]:
    from meetings.services.segments import Piece

    speakers = list(transcript.speakers.values_list("id", flat=True))
    text = " ".join(f"word{number}" for number in range(WORDS))
    return [
        Piece(
            text=text,
            speaker_id=speakers[number % len(speakers)],
            start_ms=5000 * number,
            end_ms=5000 * number + 4900,
            confidence=0.87,
            words=[
                (5000 * number + 350 * place, 5000 * number + 350 * place + 300, word, 0.91)
                for place, word in enumerate(text.split())
            ],
        )
        for number in range(SEGMENTS)
    ]
