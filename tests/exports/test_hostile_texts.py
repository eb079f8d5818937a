"""What nobody should write, written everywhere: every format exports it, opens, and stays text."""

from __future__ import annotations

import html.parser
import json
import re
import socketserver
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from exports.renderers.clean import clean, clean_text
from exports.renderers.formats import SINGLE, filename_of, render
from exports.renderers.minutes import Minutes, Part, Participant
from exports.renderers.notes import Notes
from exports.renderers.options import Options, Table, Timestamps
from exports.renderers.process import render_apart
from meetings.text.segments import Segment
from tests.exports.reading import made, read
from tests.exports.sample import HOSTILE, minutes, with_text_everywhere

pytestmark = pytest.mark.slow

TITLES = Path(__file__).parents[1] / "data" / "exports" / "titles.json"
CANARY = "the canary sings in this file"


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[int, list[str]]]:
    """A server that nobody should call: its port, and who called."""
    called: list[str] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            called.append(str(self.client_address))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], called
        server.shutdown()


@pytest.mark.parametrize("kind", SINGLE)
@pytest.mark.parametrize("name", HOSTILE)
def test_every_format_writes_it_and_its_reader_opens_it(
    kind: str, name: str, tmp_path: Path
) -> None:
    file = made(kind, with_text_everywhere(HOSTILE[name]), tmp_path)

    text = read(file)

    assert not set(map(chr, range(9))) & set(text)
    assert "\u202e" not in text
    assert "root:" not in text


@pytest.mark.parametrize("kind", SINGLE)
def test_nothing_is_read_from_disk_and_nothing_is_fetched(
    kind: str, tmp_path: Path, listener: tuple[int, list[str]]
) -> None:
    port, called = listener
    secret = tmp_path / "secret.txt"
    secret.write_text(CANARY)
    address = f"http://127.0.0.1:{port}/x"
    text = (
        f'#read("{secret}") #include "{secret}" #image("{address}") {{% include "{secret}" %}} '
        f'<img src="{address}"> ![x]({address}) =WEBSERVICE("{address}") <script src="{address}">'
    )

    shown = read(made(kind, with_text_everywhere(text), tmp_path))

    assert CANARY not in shown
    assert called == []


@pytest.mark.parametrize("table", Table)
def test_no_cell_of_a_csv_file_begins_like_a_formula(table: Table, tmp_path: Path) -> None:
    for name in ("formula", "other formulas"):
        text = HOSTILE[name]
        rows = made("csv", with_text_everywhere(text), tmp_path, Options(table=table))
        lines = rows.read_text("utf-8-sig")
        assert f"'{text[:4]}" in lines
        unguarded = Options(table=table, guard_formulas=False)
        plain = made("csv", with_text_everywhere(text), tmp_path, unguarded)
        assert "'=" not in plain.read_text("utf-8-sig")


def test_no_cell_of_a_workbook_is_a_formula_or_a_link(tmp_path: Path) -> None:
    for text in (HOSTILE["formula"], "http://example.org/", "mailto:x@example.org"):
        file = made("xlsx", with_text_everywhere(text), tmp_path)
        book = openpyxl.load_workbook(file)
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert text in {cell.value for cell in cells}
        assert all(cell.hyperlink is None for cell in cells)
        with zipfile.ZipFile(file) as archive:
            sheets = [name for name in archive.namelist() if "/worksheets/" in name]
            assert not any(b"<f>" in archive.read(name) for name in sheets)


class Tags(html.parser.HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.policy = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(name for name, _ in attrs)}
        given = dict(attrs)
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""


def test_an_html_page_runs_nothing_and_loads_nothing(tmp_path: Path) -> None:
    tags = Tags()
    for text in HOSTILE.values():
        tags.feed(made("html", with_text_everywhere(text), tmp_path).read_text("utf-8"))

    assert tags.policy.startswith("default-src 'none'")
    assert not tags.found & {"script", "img", "src", "onerror", "iframe", "object", "link"}


def test_markup_in_markdown_is_text(tmp_path: Path) -> None:
    text = made("md", with_text_everywhere(HOSTILE["markdown"]), tmp_path).read_text("utf-8")

    assert "[click](" not in text
    assert r"\[click\](" in text
    assert "<script" not in made("md", with_text_everywhere(HOSTILE["html"]), tmp_path).read_text()


@pytest.mark.parametrize("kind", SINGLE)
def test_a_million_characters_without_a_space_are_all_there(kind: str, tmp_path: Path) -> None:
    # Of a PDF, most of the time goes into reading it back.
    long = "x" * (50_000 if kind == "pdf" else 1_000_000)
    meeting = replace(minutes(segments=2), segments=(Segment(long, "Anna", 0, 3_600_000),))

    text = read(made(kind, meeting, tmp_path))

    assert text.count("x") >= len(long)


@pytest.mark.parametrize("kind", SINGLE)
def test_eight_thousand_emoji_are_written(kind: str, tmp_path: Path) -> None:
    meeting = replace(minutes(segments=2), segments=(Segment("👍" * 8000, "Anna", 0, 600_000),))

    text = read(made(kind, meeting, tmp_path))

    assert kind == "pdf" or text.count("👍") == 8000


@pytest.mark.parametrize("kind", SINGLE)
def test_every_segment_of_very_many_is_there(kind: str, tmp_path: Path) -> None:
    # Fifty thousand take each format's time once more in `./mb bench exports`.
    many = 1_000 if kind in ("pdf", "docx", "xlsx") else 5_000
    said = tuple(Segment(f"Word{n}.", f"S{n % 7}", n * 700, n * 700 + 600) for n in range(many))
    meeting = replace(minutes(), segments=said, topics=())
    whole = Options(timestamps=Timestamps.NONE)

    text = read(made(kind, meeting, tmp_path, whole))

    assert "Word0." in text
    assert f"Word{many - 1}." in text
    assert text.count("Word") == many


def test_a_name_of_a_file_has_nothing_in_it_that_a_folder_minds() -> None:
    for text in HOSTILE.values():
        name = filename_of(with_text_everywhere(f"../../{text}"), "pdf")
        assert not set('/\\:*?"<>|\x00\n') & set(name)
        assert name.endswith(".pdf")
        assert len(name) <= 100
    assert filename_of(replace(minutes(), title=" . ", starts_at=None), "md") == "meeting.md"


@pytest.mark.parametrize("title", json.loads(TITLES.read_text("utf-8")))
def test_a_name_of_a_file_can_be_opened_and_seen_everywhere(title: str) -> None:
    name = filename_of(replace(minutes(), title=title, starts_at=None), "txt")

    seen = "".join(c for c in title if c != "\u200b")
    assert name == f"meeting {seen}".rstrip() + ".txt"
    assert filename_of(replace(minutes(), title="Condition", starts_at=None), "txt") == (
        "Condition.txt"
    )
    assert filename_of(replace(minutes(), title="ب\u200cت\u00ad", starts_at=None), "md") == (
        "ب\u200cت.md"
    )


def test_cleaning_keeps_what_people_write() -> None:
    kept = "Zażółć, परीक्षा, \u200fاردو\u200e, 日本語, 👩‍👩‍👧‍👦🏳️‍🌈, e\u0301\nsecond"
    assert clean_text(kept) == kept
    assert clean_text("a\r\nb\u2028c\td") == "a\nb\nc d"


# Each of 40 kB, as one segment: what costs a layout engine more with every letter.
INTRICATE = {
    "marks between joiners": "a" + "\u0301\u200d" * 8_000,
    "marks between signs of direction": "a" + "\u0301\u200e" * 8_000,
    "tags of a flag": "\U0001f3f4" + "\U000e0067" * 10_000,
    "blank letters": "\u3164" * 13_000,
    "stacked Burmese letters": "\u1000\u1039" * 6_600,
    "letters joined by viramas": "\u0915\u094d" * 6_600,
    "jamo": "\u1100\u1161\u11a8" * 4_400,
    "emoji in one sequence": "\U0001f469\u200d" * 5_700,
    "nested directions": "\u202a" * 5_000 + "\u2067" * 5_000 + "\u05d0(" * 7_000,
}


@pytest.mark.parametrize("name", INTRICATE)
def test_intricate_text_takes_seconds(name: str, tmp_path: Path) -> None:
    meeting = replace(minutes(segments=2), segments=(Segment(INTRICATE[name], "Anna", 0, 1000),))

    for kind in ("pdf", "word"):  # each takes half a second; without bounds some took minutes
        render_apart(kind, clean(meeting), Options(), tmp_path / kind, cpu_seconds=5)


def test_people_beyond_five_hundred_are_counted(tmp_path: Path) -> None:
    people = tuple(Participant(f"Name{n}", Part.SPEAKER) for n in range(10_000))
    meeting = replace(minutes(segments=2), participants=people)

    for kind in ("pdf", "docx", "xlsx", "html"):
        text = read(made(kind, meeting, tmp_path))
        assert len(set(re.findall(r"Name\d+", text))) == 500
        assert "and 9,500 more" in text
    assert notes_of("docx", meeting, tmp_path) == Notes(people_not_named=9_500)
    assert notes_of("json", meeting, tmp_path) == Notes()
    assert read(tmp_path / "file.json").count('"Name') == 10_000


def notes_of(kind: str, meeting: Minutes, folder: Path) -> Notes:
    return render(SINGLE[kind], meeting, Options(), folder / f"file.{kind}")
