"""Captions can be read while they are heard, and nothing in a text can break out of one."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
import webvtt as webvtt_reader

from meetings.text.caption_files import subrip, webvtt
from meetings.text.captions import Caption, Limits, NoTimes, Row, captions, cells
from meetings.text.segments import Segment


def spoken(text: str, *, start_ms: int = 0, each_ms: int = 300, speaker: str = "") -> Segment:
    """These words, one after the other without a pause."""
    words = tuple(
        (start_ms + at * each_ms, start_ms + (at + 1) * each_ms, word)
        for at, word in enumerate(text.split())
    )
    return Segment(text, speaker, start_ms, words[-1][1], words)


def shown(found: list[Caption]) -> list[str]:
    return [" ".join(row.text.strip() for row in caption.rows) for caption in found]


def speakers(found: list[Caption]) -> list[str]:
    return [row.speaker for caption in found for row in caption.rows[:1]]


def check_readable(found: list[Caption], limits: Limits | None = None) -> None:
    limits = limits or Limits()
    for caption in found:
        assert len(caption.rows) <= limits.rows
        assert all(cells(row.text.strip()) <= limits.row_cells for row in caption.rows)
        assert limits.shortest_ms <= caption.end_ms - caption.start_ms <= limits.longest_ms
    assert all(one.end_ms <= following.start_ms for one, following in pairwise(found))


def test_words_become_captions_of_two_rows_and_seven_seconds_at_most() -> None:
    text = "incomprehensibilities of the kind that nobody reads aloud " * 20

    found = captions([spoken(text.strip())])

    assert " ".join(shown(found)).split() == text.split()
    check_readable(found)


def test_caption_begins_with_its_first_word() -> None:
    said = spoken("before it")
    pause = (*said.words, (8_332, 8_600, "after"), (8_600, 9_000, "it"))

    first, second = captions([Segment("before it after it", "", 0, 9_000, pause)])

    assert (first.start_ms, shown([first])) == (0, ["before it"])
    assert (second.start_ms, shown([second])) == (8_332, ["after it"])


def test_edited_segment_is_shared_out_over_its_time() -> None:
    said = spoken("one two three four")

    (caption,) = captions([Segment("one two four", "", 0, 1200, said.words)])

    assert shown([caption]) == ["one two four"]


def test_sentence_end_in_a_well_filled_caption_begins_another() -> None:
    text = "This is a sentence that fills most of a caption with its own words. And more."

    assert shown(captions([spoken(text)])) == [
        "This is a sentence that fills most of a caption with its own words.",
        "And more.",
    ]


def test_short_caption_stands_long_enough_to_be_read() -> None:
    said = [
        Segment("Yes.", "Anna", 0, 100),
        Segment("No.", "Ben", 250, 300),
        Segment("Perhaps, we shall see.", "Cara", 500, 2_000),
    ]

    found = captions(said)

    check_readable(found)
    assert [[row.speaker for row in caption.rows] for caption in found] == [
        ["Anna"],
        ["Ben", "Cara"],
    ]


def test_short_segments_of_one_speaker_share_a_caption() -> None:
    said = [Segment("Yes.", "Anna", 0, 100), Segment("I agree.", "Anna", 300, 900)]

    assert shown(captions(said)) == ["Yes. I agree."]


def test_interjection_stands_when_it_is_said_and_the_speaker_is_named_again() -> None:
    said = [
        Segment("The first hall is too dear, and the second one has no kitchen.", "Anna", 0, 9_000),
        Segment("Yes.", "Ben", 3_000, 3_500),
    ]

    found = captions(said, named=True)

    check_readable(found)
    assert speakers(found) == ["Anna", "Ben", "Anna"]
    assert shown(found)[1:] == ["Ben: Yes.", "Anna: dear, and the second one has no kitchen."]
    assert (found[1].start_ms, found[1].end_ms) == (3_000, 3_833)


def test_people_who_speak_at_once_take_turns_and_keep_up() -> None:
    text = " ".join(["word"] * 60)
    said = [spoken(text, speaker=name, start_ms=start) for name, start in (("A", 0), ("B", 900))]

    found = captions(said, named=True)

    check_readable(found)
    assert found[-1].end_ms <= said[1].words[-1][1] + 2_000
    for name in ("A", "B"):
        rows = [row.text for caption in found for row in caption.rows if row.speaker == name]
        assert " ".join(rows).replace(f"{name}: ", "").split() == text.split()


def test_fast_exchange_keeps_up_by_sharing_captions() -> None:
    said = [Segment(f"Word {n}.", f"S{n % 7}", n * 700, n * 700 + 600) for n in range(500)]

    found = captions(said, named=True)

    check_readable(found)
    assert found[-1].end_ms - 500 * 700 < 2_000
    rows = [row.text for caption in found for row in caption.rows]
    assert rows == [f"S{n % 7}: Word {n}." for n in range(500)]


def test_segments_without_an_end_or_a_start_are_shown_in_their_place() -> None:
    said = [
        Segment("Welcome to all of you.", "Anna", 12_000),
        Segment("Thank you.", "Ben"),
        Segment("We begin.", "Anna", 20_000, 21_000),
    ]

    found = captions(said)

    assert speakers(found) == ["Anna", "Ben", "Anna"]
    assert found[0].start_ms == 12_000
    assert 12_000 < found[1].start_ms < 20_000
    check_readable(found)


@pytest.mark.parametrize("rows", [1, 2])
def test_long_name_leaves_room_for_words(rows: int) -> None:
    limits = Limits(row_cells=20, rows=rows)

    found = captions([spoken("incomprehensibilities of it", speaker="N" * 60)], limits, named=True)

    check_readable(found, limits)
    assert shown(found)[0].startswith("NNNNNNN…: ")


@pytest.mark.parametrize("said", [(), (Segment("Hello."),)])
def test_text_without_times_has_no_captions(said: tuple[Segment, ...]) -> None:
    with pytest.raises(NoTimes):
        captions(said)


def test_subrip_counts_from_one_and_webvtt_makes_each_speaker_a_voice() -> None:
    found = [
        Caption(0, 1500, [Row("Ann", "Good morning."), Row("Bo", "Hi.")]),
        Caption(3_723_004, 3_724_000, [Row("Cy", "Bye.")]),
    ]

    assert subrip(found) == (
        "1\n00:00:00,000 --> 00:00:01,500\nGood morning.\nHi.\n\n"
        "2\n01:02:03,004 --> 01:02:04,000\nBye.\n\n"
    )
    assert webvtt(found) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n<v Ann>Good morning.</v>\n<v Bo>Hi.</v>\n"
        "\n01:02:03.004 --> 01:02:04.000\n<v Cy>Bye.\n"
    )


@pytest.mark.parametrize(
    "text", ["a --> b", "<v Eve>hello", "one\n\ntwo", "R&D", "00:00:00.000 --> 00:00:01.000"]
)
def test_no_text_breaks_out_of_its_caption(text: str) -> None:
    said = [Segment(text, "A>nn", 0, 1000), Segment("next", "Bo", 2000, 3000)]
    read_vtt = webvtt_reader.from_string(webvtt(captions(said))).captions
    read_srt = webvtt_reader.from_buffer(io.StringIO(subrip(captions(said))), format="srt").captions
    assert len(read_vtt) == len(read_srt) == 2
    assert read_vtt[1].text == read_srt[1].text == "next"
