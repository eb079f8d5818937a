"""Files of meetings: what each format costs, in every language, and how much a worker grows.

CPU seconds of this process, children included where a figure needs a process of its own. WeasyPrint
and a Word file by plain python-docx stand beside ours in the same run; without WeasyPrint (`uv pip
install weasyprint`) its row is left out.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import docx

from exports.renderers import formats
from exports.renderers.minutes import Minutes, Part, Participant
from exports.renderers.options import Options
from meetings.text.segments import Segment
from tests.bench.harness import Compare, Goal
from tests.exports.sample import LANGUAGES, minutes

ROOT = Path(__file__).resolve().parents[2]
# Three hours: 2,621 segments and 30,000 words, as the field's own figures have it.
SEGMENTS, CHAPTERS = 2_621, 13
REQUESTS = 21
LIMITS = {
    "txt": 0.3, "md": 0.3, "html": 0.3, "srt": 0.3, "vtt": 0.3, "json": 0.3, "csv": 0.3,
    "docx": 0.6, "xlsx": 0.6, "pdf": 0.8,
}  # fmt: skip


def measure() -> list[Goal]:
    """What files cost to make, and to ask for."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [
            *_format_goals(folder),
            *_language_goals(folder),
            *_size_goals(folder),
            *_hostile_goals(folder),
            *_request_goals(),
        ]


def meeting_of(language: str, *, hours: float = 3.0) -> Minutes:
    """About ten thousand words an hour, each segment as long as the language makes its sentence."""
    segments = round(SEGMENTS * hours / 3)
    made = minutes(language, segments=segments, chapters=CHAPTERS, with_words=True)
    return formats.cleaned(made)


def seconds(kind: str, meeting: Minutes, folder: Path, *, rounds: int = 3) -> float:
    """The least CPU time of some rounds: whatever else the machine does only adds to one."""
    options = Options(language=meeting.language or "en")
    target = folder / f"x.{kind}"
    return min(
        _timed(lambda: formats.render(formats.SINGLE[kind], meeting, options, target))
        for _ in range(rounds)
    )


def _timed(work: Callable[[], Any]) -> float:
    began = _cpu_seconds()
    work()
    return _cpu_seconds() - began


def _cpu_seconds() -> float:
    """Of this process and of those that it has waited for: PDF and Word are made in their own."""
    return sum(os.times()[:4])


def _format_goals(folder: Path) -> list[Goal]:
    meeting = meeting_of("en")
    found = {kind: seconds(kind, meeting, folder) for kind in LIMITS}
    goals = [
        Goal(f"{kind} of 3 hours", LIMITS[kind], took, "s CPU") for kind, took in found.items()
    ]
    plain = _timed(lambda: _plain_word(meeting, folder / "plain.docx"))
    goals.append(
        Goal("docx against plain python-docx", 1, plain / found["docx"], "x", Compare.AT_LEAST)
    )
    if importlib.util.find_spec("weasyprint"):
        peer = _timed(lambda: _weasyprint(meeting, folder))
        goals.append(Goal("pdf against WeasyPrint", 15, peer / found["pdf"], "x", Compare.AT_LEAST))
    return goals


def _plain_word(meeting: Minutes, target: Path) -> None:
    """A transcript as the manual of python-docx writes one: a paragraph with two runs a segment."""
    word = docx.Document()
    word.add_heading(meeting.title, 0)
    for segment in meeting.segments:
        paragraph = word.add_paragraph()
        paragraph.add_run(f"{segment.speaker}: ").bold = True
        paragraph.add_run(segment.text)
    word.save(str(target))


def _weasyprint(meeting: Minutes, folder: Path) -> None:
    """The HTML file of the same meeting as a PDF."""
    weasyprint: Any = importlib.import_module("weasyprint")
    page = folder / "x.html"
    formats.render(formats.SINGLE["html"], meeting, Options(), page)
    weasyprint.HTML(filename=str(page)).write_pdf(str(folder / "peer.pdf"))


def _language_goals(folder: Path) -> list[Goal]:
    return [
        Goal(
            f"pdf of 3 hours, {language}",
            1.2,
            seconds("pdf", meeting_of(language), folder, rounds=3),
            "s CPU",
        )
        for language in LANGUAGES
    ]


ALONE = """
import json, resource, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.bench.exports import meeting_of, seconds
folder, hours, times = Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
meeting = meeting_of("en", hours=hours)
took = min(seconds("pdf", meeting, folder, rounds=1) for _ in range(times))
pages = int(Path("/proc/self/statm").read_text().split()[1])
print(json.dumps({
    "took": took,
    "now": pages * resource.getpagesize() / 2**20,
    "peak": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
}))
"""


def _alone(folder: Path, *, hours: float, times: int) -> dict[str, float]:
    """PDFs in a process of their own: the least CPU time, and MB of memory at the end and most."""
    words = [sys.executable, "-c", ALONE, str(ROOT), str(folder), str(hours), str(times)]
    done = subprocess.run(words, capture_output=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _size_goals(folder: Path) -> list[Goal]:
    long = _alone(folder, hours=10, times=2)
    many = _alone(folder, hours=3, times=20)
    per_hour = (long["took"] / 10) / (many["took"] / 3)
    return [
        Goal("pdf of 10 hours", 2.5, long["took"], "s CPU"),
        Goal("pdf of 10 hours, most memory", 600, long["peak"], "MB"),
        Goal("worker after 20 pdfs of 3 hours", 250, many["now"], "MB"),
        Goal("an hour of 10 against one of 3", 1.3, per_hour, "x"),
    ]


def _hostile_goals(folder: Path) -> list[Goal]:
    """What nobody should send, in every format: a million characters, and 50,000 segments."""
    usual = minutes(segments=2)
    unbroken = replace(usual, segments=(Segment("x" * 1_000_000, "Anna", 0, 3_600_000),))
    many = replace(
        usual,
        topics=(),
        segments=tuple(
            Segment(f"Word {n}.", f"S{n % 7}", n * 700, n * 700 + 600) for n in range(50_000)
        ),
    )
    speakers = replace(
        many,
        participants=tuple(Participant(f"S{n}", Part.SPEAKER) for n in range(50_000)),
        segments=tuple(replace(s, speaker=f"S{n}") for n, s in enumerate(many.segments)),
    )
    return [
        Goal(f"{kind} of {what}", 60, seconds(kind, meeting, folder, rounds=1), "s CPU")
        for what, meeting, kinds in (
            ("a million letters", unbroken, LIMITS),
            ("50,000 segments", many, LIMITS),
            ("50,000 speakers", speakers, ["pdf", "docx"]),
        )
        for kind in kinds
    ]


def _request_goals() -> list[Goal]:
    """How soon somebody who asks for a file of three hours is answered: it is not made meanwhile.

    In this process, against the database and the broker; the middle of some requests.
    """
    from tests import make  # a process that only makes files has no database

    who = make.actor()
    client = make.client(who)
    meeting = make.meeting(organization=who.organization)
    words = tuple(f"We talked about point {number}." for number in range(SEGMENTS))
    make.transcript(recording=make.recording(meeting=meeting, with_job=False), texts=words)
    took = []
    for number in range(REQUESTS):
        body = {"meeting": str(meeting.id), "format": "pdf", "options": _differing(number)}
        began = time.perf_counter()
        answer = client.post("/api/v1/exports/", body, headers={"Host": "localhost"})
        took.append(time.perf_counter() - began)
        if answer.status_code != HTTPStatus.ACCEPTED:
            raise AssertionError(answer.content)
    middle = statistics.median(took) * 1000
    return [Goal("answer to a request for a pdf of 3 hours", 200, middle, "ms")]


def _differing(number: int) -> dict[str, Any]:
    """Options that were not asked for before: the same ones join the export that is on its way."""
    return {"maximum_characters_per_row": 20 + number}
