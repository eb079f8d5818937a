"""What counts as a decision, and what only sounds like one."""

from __future__ import annotations

import pytest

from tests.meetings.analysis.said import decisions

DECIDED = [
    ("en", "Decision: we ship the release on Monday."),
    ("en", "Okay so decision, no plastic in the box."),
    ("en", "So we have all agreed that the office moves to Graz."),
    ("en", "It was resolved to object to the application."),
    ("en", "Let's go with the blue paint for the hall."),
    ("en", "The board approved the annual accounts."),
    ("en", "The motion to sell the old van was carried."),
    ("en", "We decided not to raise the fees this year."),
    ("en", "Okay, then we're agreed: the marketing budget stays at ten thousand euros."),
    ("en", "Yes, agreed, the release moves to April."),
    ("en", "We will move the meeting to Thursdays from now on."),
    ("en", "From now on we meet on Thursdays."),
    ("sv", "Styrelsen beslutade att laga taket före sommaren."),
    ("sv", "Beslut: vi köper en ny tvättmaskin."),
    ("de", "Der Vorstand hat beschlossen, den Platz zu sanieren."),
    ("de", "Es wurde vereinbart, dass die Parkplätze bleiben."),
    ("hu", "A közgyűlés úgy döntött, hogy felújítjuk a liftet."),
    ("hu", "Megállapodtunk abban, hogy a kapu tízkor zár."),
]
REFUSED = [
    ("en", "We have not decided on the colour of the hall."),
    ("en", "So the decision, as I see it, is still open."),
    ("en", "So, decision, anybody in favour of the van?"),
    ("en", "Should we go with the blue paint for the hall?"),
    ("en", "If we agreed to the cheaper one, what would happen next."),
    ("en", "Last time we agreed to repair the gutters."),
    ("en", "I heard that the board had decided to sell the house."),
    ("en", "I think we should decide on the new contract soon."),
    ("en", "Nothing was decided about the parking spaces."),
    ("en", "Did we agree on a budget for the new van?"),
    ("en", "We agreed."),
    ("en", "Yes, agreed, the food was awful."),
    ("en", "Agreed, but the price stays too high for us."),
    ("en", "We will move the meeting to Thursday."),
    ("en", "We started late because we decided to wait for Anna."),
    ("en", "In the last review it was agreed to switch it off."),
    ("sv", "Vi har inte beslutat att laga taket ännu."),
    ("sv", "Förra året beslutade vi att måla trapphuset."),
    ("de", "Wir haben noch nichts beschlossen, was den Platz angeht."),
    ("de", "Wenn wir jetzt beschließen würden, wäre er im Sommer fertig."),
    ("hu", "Még nem döntöttünk arról, hogy ki festi ki a lépcsőházat."),
    ("hu", "Tavaly megállapodtunk abban, hogy kifestjük a lépcsőházat."),
]


@pytest.mark.parametrize(("language", "text"), DECIDED)
def test_a_formal_decision_is_found_with_its_words(language: str, text: str) -> None:
    (found,) = decisions(f"Chair: {text}", language=language)

    assert [quote.text for quote in found.quotes] == [text]
    assert all(quote.verified for quote in found.quotes)
    assert 0.6 <= found.confidence <= 1


@pytest.mark.parametrize(("language", "text"), REFUSED)
def test_what_only_sounds_like_a_decision_is_refused(language: str, text: str) -> None:
    assert decisions(f"Chair: {text}", language=language) == []


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Decision: we ship on Monday.", "We ship on Monday."),
        ("Yes, agreed, the release moves to April.", "The release moves to April."),
        ("Okay, then we're agreed: the budget stays.", "The budget stays."),
        ("We agreed that the budget stays.", "We agreed that the budget stays."),
    ],
)
def test_a_decision_is_told_without_its_label_and_quoted_with_it(said: str, written: str) -> None:
    (found,) = decisions(f"Chair: {said}")

    assert found.text == written
    assert [quote.text for quote in found.quotes] == [said]


def test_a_label_is_surer_than_free_speech() -> None:
    label, speech = decisions(
        "Chair: Decision: the office moves to Graz.", "Bob: Let's go with the blue paint then."
    )

    assert label.confidence > speech.confidence


def test_a_decision_read_out_again_counts_once() -> None:
    (found,) = decisions(
        "Chair: We agreed to lease an electric van for three years.",
        "Bob: Fine with me.",
        "Chair: Decision: lease an electric van for three years.",
    )

    assert found.confidence == 0.95
