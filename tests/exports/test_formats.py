"""Every format holds the whole meeting, opens in its reader, and is the same every time."""

from __future__ import annotations

import json
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import jsonschema
import openpyxl
import pytest

from exports.renderers.formats import SINGLE
from exports.renderers.labels import labels_in
from exports.renderers.minutes import Item, Minutes, Section
from exports.renderers.options import Options, PageSize, Table, Timestamps
from exports.renderers.places import LAYOUTS
from tests.exports.reading import made, read
from tests.exports.sample import LANGUAGES, TEXTS, minutes

PROSE = ("txt", "md", "html", "pdf", "docx")
ROWS = ("csv", "xlsx", "json")


def squeezed(text: str) -> str:
    return "".join(text.split()).replace("\u200b", "")


@pytest.mark.parametrize("kind", ["txt", "md", "html", "docx", "xlsx"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_whole_meeting_is_in_the_file_in_every_language(
    kind: str, language: str, tmp_path: Path
) -> None:
    file = made(kind, minutes(language), tmp_path, Options(language=language))

    text = squeezed(read(file)).lower()

    for words in (*TEXTS[language], *(labels_in(language)[s] for s in Section if s != "details")):
        assert squeezed(words).lower() in text, words


def test_the_same_meeting_gives_the_same_bytes_in_the_next_second(tmp_path: Path) -> None:
    first = {kind: made(kind, minutes(), tmp_path).read_bytes() for kind in SINGLE}
    # Two kinds are ZIP archives, which would keep the second in which they are written.
    time.sleep(1.1)

    for kind, content in first.items():
        assert made(kind, minutes(), tmp_path).read_bytes() == content, kind


@pytest.mark.parametrize("kind", sorted(set(SINGLE) - {"srt", "vtt"}))
def test_a_meeting_of_which_nothing_is_known_gives_a_file_without_inventions(
    kind: str, tmp_path: Path
) -> None:
    file = made(kind, Minutes(meeting_id="x", title="Alone"), tmp_path)

    text = read(file)

    labels = labels_in("en")
    for section in (Section.SUMMARY, Section.BRIEF, Section.STAKEHOLDERS, Section.PARTICIPANTS):
        assert labels[section] not in text


@pytest.mark.parametrize("kind", PROSE)
def test_only_the_chosen_sections_are_there(kind: str, tmp_path: Path) -> None:
    file = made(kind, minutes(), tmp_path, Options(sections=(Section.DECISIONS,)))

    text = read(file).lower()

    assert "decisions" in text
    for title in ("action items", "participants", "transcript", "stakeholders"):
        assert title not in text


@pytest.mark.parametrize("kind", [*PROSE, *ROWS])
def test_speakers_can_be_left_out(kind: str, tmp_path: Path) -> None:
    only_words = Options(sections=(Section.TRANSCRIPT,), speakers=False)

    assert "Ben Okafor" in read(made(kind, minutes(), tmp_path))
    assert "Ben Okafor" not in read(made(kind, minutes(), tmp_path, only_words))


@pytest.mark.parametrize("kind", PROSE)
def test_times_stand_where_they_were_asked_for(kind: str, tmp_path: Path) -> None:
    def times(chosen: Timestamps) -> int:
        options = Options(sections=(Section.TRANSCRIPT,), timestamps=chosen)
        return read(made(kind, minutes(chapters=1), tmp_path, options)).count("0:00:")

    assert times(Timestamps.NONE) == 0
    assert 0 < times(Timestamps.TURN) < times(Timestamps.SEGMENT)


@pytest.mark.parametrize("kind", PROSE)
def test_turns_can_be_left_as_they_came(kind: str, tmp_path: Path) -> None:
    def heads(*, merged: bool) -> int:
        options = Options(sections=(Section.TRANSCRIPT,), merge_turns=merged)
        return read(made(kind, minutes(), tmp_path, options)).count("Ben Okafor")

    assert heads(merged=True) < heads(merged=False) == 12


@pytest.mark.parametrize("kind", [*PROSE, *ROWS])
def test_what_nobody_verified_stays_out_unless_it_is_wanted(kind: str, tmp_path: Path) -> None:
    doubtful = Item("They sold the harbour.", is_verified=False)
    meeting = replace(minutes(), decisions=(*minutes().decisions, doubtful))
    table = Options(table=Table.DECISIONS)

    assert doubtful.text not in read(made(kind, meeting, tmp_path, table))
    wanted = replace(table, include_unverified=True)
    assert doubtful.text in read(made(kind, meeting, tmp_path, wanted))


@pytest.mark.parametrize("kind", ["pdf", "docx"])
def test_paper_is_cut_as_asked(kind: str, tmp_path: Path) -> None:
    a4 = made(kind, minutes(), tmp_path).read_bytes()

    assert made(kind, minutes(), tmp_path, Options(page_size=PageSize.LETTER)).read_bytes() != a4


def test_a_word_file_holds_no_parts_that_nobody_needs(tmp_path: Path) -> None:
    with zipfile.ZipFile(made("docx", minutes(), tmp_path)) as archive:
        names = set(archive.namelist())
        relations = archive.read("_rels/.rels") + archive.read("word/_rels/document.xml.rels")
    assert {"word/document.xml", "word/styles.xml"} <= names
    assert not {"docProps/thumbnail.jpeg", "word/stylesWithEffects.xml"} & names
    assert b"thumbnail" not in relations
    assert b"stylesWithEffects" not in relations


def test_the_json_file_is_what_its_schema_says(tmp_path: Path) -> None:
    schema = json.loads((LAYOUTS / "meeting.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for meeting in (minutes(), Minutes(meeting_id="x", title="Alone")):
        written = json.loads(made("json", meeting, tmp_path).read_bytes())
        jsonschema.validate(written, schema, cls=jsonschema.Draft202012Validator)
    whole = json.loads(made("json", minutes(), tmp_path).read_bytes())
    assert set(schema["properties"]) == set(whole), "the schema or the file has more"


def test_a_csv_file_holds_the_table_that_was_asked_for(tmp_path: Path) -> None:
    segments = read(made("csv", minutes(), tmp_path)).splitlines()
    tasks = read(made("csv", minutes(), tmp_path, Options(table=Table.ACTION_ITEMS))).splitlines()

    assert len(segments) == 1 + 24
    assert segments[1].startswith("0:00:00.000 0:00:03.800 Anna Berg")
    assert len(tasks) == 1 + 2
    assert "2026-11-27" in tasks[1]


def test_a_workbook_has_a_sheet_for_each_table(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(made("xlsx", minutes(), tmp_path))

    assert book.sheetnames == ["Minutes", "Decisions", "Action items", "Transcript"]
    assert book["Transcript"].max_row == 1 + 24


def test_a_workbook_in_a_language_from_right_to_left_reads_so(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(made("xlsx", minutes("ar"), tmp_path, Options(language="ar")))

    assert all(sheet.sheet_view.rightToLeft for sheet in book)
