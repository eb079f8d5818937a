"""PDFs: found by screen readers and search, right in every script, and looked at page by page."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pypdf
import pytest

from exports.renderers import formats, pdf, pdf_chunks
from exports.renderers.fonts import (
    _is_one_to_one,
    families_for,
    font_set,
    has_arabic_to_copy,
    missing_packages,
)
from exports.renderers.minutes import Section
from exports.renderers.notes import Notes
from exports.renderers.options import Options
from exports.renderers.process import TooMuch, render_apart
from meetings.text.segments import Segment
from tests.exports.reading import made, text_of_pdf
from tests.exports.sample import LANGUAGES, TEXTS, minutes

pytestmark = pytest.mark.slow


def test_this_installation_has_every_font() -> None:
    assert missing_packages() == []
    assert has_arabic_to_copy()


def test_a_font_with_ligatures_or_loose_dots_is_not_taken_for_arabic() -> None:
    sans = [file for file in font_set().files if file.name.startswith("NotoSansArabic")]

    assert sans
    assert not any(map(_is_one_to_one, sans))
    assert families_for("ar")[0] == families_for("ur")[0] != "Noto Sans Arabic"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_character_of_every_language_has_a_glyph(language: str, tmp_path: Path) -> None:
    notes = pdf.render(
        formats.cleaned(minutes(language)), Options(language=language), tmp_path / "x.pdf"
    )

    assert notes == Notes(missing_characters=0, is_accessible=True)


def test_a_pdf_is_tagged_and_says_its_language_and_title(tmp_path: Path) -> None:
    catalog = pypdf.PdfReader(made("pdf", minutes("hu"), tmp_path, Options(language="hu")))
    root: Any = catalog.trailer["/Root"]

    assert root["/Lang"] == "hu"
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712 - a PDF boolean object
    assert "/StructTreeRoot" in root
    assert catalog.metadata is not None
    assert catalog.metadata.title == TEXTS["hu"][0]


def test_sections_and_chapters_are_bookmarks(tmp_path: Path) -> None:
    reader = pypdf.PdfReader(made("pdf", minutes(), tmp_path))

    titles = [entry.title for entry in flat(reader.outline)]

    assert [title for title in titles if title in ("Decisions", "Action items", "Transcript")] == [
        "Decisions",
        "Action items",
        "Transcript",
    ]
    assert any(title.startswith("Quarterly planning 2") for title in titles)


def flat(outline: list[Any]) -> list[Any]:
    return [e for entry in outline for e in (flat(entry) if isinstance(entry, list) else [entry])]


def test_only_a_pdf_of_several_pages_has_a_contents_list(tmp_path: Path) -> None:
    short = Options(sections=(Section.SUMMARY, Section.TRANSCRIPT))

    pages = pypdf.PdfReader(made("pdf", minutes(segments=2), tmp_path, short)).pages
    assert len(pages) == 1
    assert "Contents" not in pages[0].extract_text()

    pages = pypdf.PdfReader(made("pdf", minutes(segments=80), tmp_path)).pages
    assert "Contents" in pages[0].extract_text()


def test_each_decision_and_action_item_leads_to_its_words(tmp_path: Path) -> None:
    reader = pypdf.PdfReader(made("pdf", minutes(), tmp_path))
    links = [
        annotation.get_object()
        for page in reader.pages
        for annotation in page.get("/Annots", [])
        if annotation.get_object()["/Subtype"] == "/Link"
    ]

    # Contents: 9 sections and 2 chapters; 2 decisions, 2 action items and 2 topics lead to words.
    assert len(links) >= 9 + 2 + 6
    assert all("/URI" not in link.get("/A", {}) for link in links)


def test_pages_have_a_header_and_numbers(tmp_path: Path) -> None:
    pages = pypdf.PdfReader(made("pdf", minutes(segments=80), tmp_path)).pages

    for number, page in enumerate(pages, start=1):
        assert f"{number} / {len(pages)}" in page.extract_text()
        assert number == 1 or TEXTS["en"][0] in page.extract_text()


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> pypdf.PdfReader:
    """A PDF in chunks: 300 numbered turns, the last of them longer than a chunk."""
    target = tmp_path_factory.mktemp("long") / "long.pdf"
    usual = minutes(segments=300, chapters=4)
    said = [replace(s, text=f"Turn {n}.") for n, s in enumerate(usual.segments)]
    said[-1] = replace(said[-1], text="Turn 299. " + "word " * 30_000)
    decision = replace(usual.decisions[0], segment=200)
    meeting = replace(usual, segments=tuple(said), decisions=(decision,))

    options = Options(merge_turns=False, language="de")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdf_chunks, "LONG_CHARACTERS", 20_000)
        patch.setattr(pdf_chunks, "CHUNK_CHARACTERS", 20_000)
        notes = pdf.render(formats.cleaned(meeting), options, target)

    assert notes == Notes()
    return pypdf.PdfReader(target)


def test_chunks_are_joined_with_every_word_once_and_page_numbers_that_run_on(
    long: pypdf.PdfReader,
) -> None:
    texts = [page.extract_text() for page in long.pages]

    for number, text in enumerate(texts, start=1):
        assert text.endswith(f"Fassung 7 {number}")
        assert number == 1 or TEXTS["en"][0] in text.partition("\n")[0]
    spoken = re.findall(r"Turn (\d+)\.", "\n".join(texts))
    assert spoken == [str(number) for number in range(300)]
    assert sum(text.count("word") for text in texts) == 30_000


def test_joined_contents_bookmarks_and_links_lead_to_their_pages(long: pypdf.PdfReader) -> None:
    texts = [page.extract_text() for page in long.pages]
    heading = f"{TEXTS['en'][0]} 3"  # of the third chapter, not in the first chunk
    at = next(n for n, text in enumerate(texts) if n > 1 and f"{heading} 0:" in text)
    bookmarks = {entry.title: entry for entry in flat(long.outline)}
    links = [link.get_object() for page in long.pages for link in page.get("/Annots", [])]
    pages = {page.indirect_reference: n for n, page in enumerate(long.pages)}
    led_to = [pages[link["/Dest"][0]] for link in links]

    assert re.search(rf"^{heading} 0:10:00\s+{at + 1}$", texts[0], re.M)
    assert long.get_destination_page_number(bookmarks[f"{heading} 0:10:00"]) == at
    assert all("/A" not in link for link in links)
    assert next(n for n, text in enumerate(texts) if "Turn 200." in text) in led_to


def test_joined_pages_are_tagged(long: pypdf.PdfReader) -> None:
    root: Any = long.trailer["/Root"]
    tags = root["/StructTreeRoot"]
    leaves = [leaf.get_object()["/Nums"] for leaf in tags["/ParentTree"]["/Kids"]]
    keys = [key for leaf in leaves for key in leaf[::2]]
    whole = tags["/K"][0].get_object()
    parts = [kid.get_object() for kid in whole["/K"]]
    chunks = [part for part in parts if part["/S"] == "/Part"]
    kinds = [kid.get_object()["/S"] for part in chunks for kid in part["/K"]]

    assert root["/Lang"] == "de"
    assert len({page["/StructParents"] for page in long.pages}) == len(long.pages)
    assert {page["/StructParents"] for page in long.pages} <= set(keys)
    assert keys == list(range(len(keys))) == list(range(tags["/ParentTreeNextKey"]))
    assert (kinds.count("/H1"), kinds.count("/H2")) == (1, 4)


def test_what_no_font_shows_is_replaced_and_counted(tmp_path: Path) -> None:
    strange = "\U00012000"  # cuneiform
    assert ord(strange) not in font_set().covered
    said = (Segment(f"a {strange}{strange} b", "Anna", 0, 1000),)

    notes = pdf.render(replace(minutes(), segments=said), Options(), tmp_path / "x.pdf")

    assert notes.missing_characters == 2
    assert "a □□ b" in text_of_pdf(tmp_path / "x.pdf")


def test_a_pdf_in_another_language_than_its_words_shows_both(tmp_path: Path) -> None:
    text = text_of_pdf(made("pdf", minutes("ja"), tmp_path, Options(language="de")))

    assert "Beschlüsse" in text
    assert TEXTS["ja"][3] in text


def test_twenty_thousand_marks_on_a_letter_are_thirty(tmp_path: Path) -> None:
    said = (Segment("a" + "\u0301" * 20_000 + " end", "Anna", 0, 1000),)

    notes = pdf.render(replace(minutes(), segments=said), Options(), tmp_path / "x.pdf")

    assert notes.missing_characters == 19_970
    assert "end" in text_of_pdf(tmp_path / "x.pdf")


@pytest.mark.parametrize("limit", [{"memory_bytes": 100 * 1024**2}, {"cpu_seconds": 1}])
def test_file_that_needs_more_than_its_process_may_take_is_given_up(
    limit: dict[str, int], tmp_path: Path
) -> None:
    long = minutes(segments=6_000)

    with pytest.raises(TooMuch):
        render_apart("pdf", long, Options(merge_turns=False), tmp_path / "x.pdf", **limit)


MANY = """
import resource, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from exports.renderers import formats, pdf
from exports.renderers.options import Options
from meetings.text.segments import Segment
from tests.exports.sample import minutes
meeting = formats.cleaned(minutes(segments=600))
def grown():
    for _ in range(8):
        pdf.render(meeting, Options(), Path({target!r}))
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
first, second = grown(), grown()
print(second - first)
"""


@pytest.mark.skipif(not psutil.LINUX, reason="reads /proc")
def test_a_worker_that_makes_many_does_not_grow(tmp_path: Path) -> None:
    root = str(Path(__file__).resolve().parents[2])
    script = MANY.format(root=root, target=str(tmp_path / "x.pdf"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)

    assert int(done.stdout) < 60 * 1024**2
