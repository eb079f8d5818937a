"""Keeping what an engine found: one section at a time, each item with the words it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from core.accounts.models import Membership
from meetings import queries
from meetings.analysis.deduplication import MAX_ITEMS, distinct
from meetings.analysis.discussion import Discussion, Turn
from meetings.analysis.findings import (
    ActionItemFound,
    DecisionFound,
    Found,
    Quote,
    Section,
    SectionFindings,
    SummaryFound,
    TopicFound,
)
from meetings.models import (
    ActionItem,
    Analysis,
    Decision,
    Evidence,
    ItemStatus,
    Participant,
    Summary,
    Topic,
)
from meetings.models.item import Item
from meetings.text.names import same_words

MODELS: dict[Section, type[Item]] = {
    Section.SUMMARY: Summary,
    Section.TOPICS: Topic,
    Section.DECISIONS: Decision,
    Section.ACTION_ITEMS: ActionItem,
}
CHANGEABLE = (Section.DECISIONS, Section.ACTION_ITEMS)
LONGEST_NAME = 200
SURE = 1.0  # what a person judged, no find replaces


@dataclass(frozen=True, slots=True)
class Context:
    """What rows are made from beside the finds: whose they are, and what was really said."""

    analysis: Analysis
    turns: dict[str, Turn]
    owners: dict[str, UUID | None]

    def owned(self) -> dict[str, Any]:
        """The columns that every row of the analysis shares."""
        analysis = self.analysis
        return {"organization_id": analysis.organization_id, "meeting_id": analysis.meeting_id}


def keep_findings(*, analysis: Analysis, discussion: Discussion, findings: SectionFindings) -> None:
    """Write a section's items over the drafts of earlier passes, inside the caller's transaction.

    What people confirmed, dismissed, edited or completed stays, and is not added a second time, nor
    in slightly different words.
    """
    section = findings.section
    _replaceable(section, analysis).delete()
    found = list(findings.items)
    if section in CHANGEABLE:
        found = _unknown(found, _kept_texts(section, analysis), discussion.language)
    context = _context(analysis, discussion, found)
    rows = [_row(item, position, context) for position, item in enumerate(found)]
    MODELS[section].objects.bulk_create(rows)
    Evidence.objects.bulk_create(
        evidence
        for row, item in zip(rows, found, strict=True)
        for evidence in _evidence(row, item.quotes, context)
    )


def _replaceable(section: Section, analysis: Analysis) -> QuerySet[Any]:
    """What is the engine's alone: of items that people change, untouched drafts."""
    rows: QuerySet[Any] = MODELS[section].objects.filter(meeting_id=analysis.meeting_id)
    if section not in CHANGEABLE:
        return rows
    drafts = rows.filter(status=ItemStatus.DRAFT, text=F("found_text"))
    return drafts.filter(completed_at=None) if section == Section.ACTION_ITEMS else drafts


def _kept_texts(section: Section, analysis: Analysis) -> dict[str, str]:
    """What stays of earlier passes, as it reads now and as it was found, by the words compared."""
    items = MODELS[section].objects.filter(meeting_id=analysis.meeting_id)
    kept = items.values_list("text", "found_text")
    return {same_words(text): text for pair in kept.order_by("id") for text in pair}


def _unknown(items: Sequence[Any], kept: dict[str, str], language: str) -> list[Found]:
    """The items that say nothing of what is kept.

    Very short ones are compared letter by letter: they have too few words to be alike.
    """
    new = [item for item in items if same_words(item.text) not in kept]
    for texts in _batches(list(kept.values())):
        parts = _batches(new)
        new = [item for part in parts for item in _unlike(part, texts, language)]
    return new


def _unlike(items: list[Any], texts: list[str], language: str) -> list[Any]:
    """The items that are no other wording of a text, the texts passing for the surest finds."""
    judged = [replace(items[0], text=text, confidence=SURE) for text in texts]
    kept = distinct([*judged, *items], language).items
    return [item for item in items if any(item is other for other in kept)]


def _batches(rows: list[Any]) -> list[list[Any]]:
    """Two of them together are never too many to be told apart."""
    size = MAX_ITEMS // 2
    return [rows[first : first + size] for first in range(0, len(rows), size)]


def _context(analysis: Analysis, discussion: Discussion, found: Sequence[Found]) -> Context:
    named = any(isinstance(item, ActionItemFound) and item.owner_name for item in found)
    owners = _owners_by_name(analysis) if named else {}
    return Context(analysis, {turn.id: turn for turn in discussion.turns}, owners)


def _owners_by_name(analysis: Analysis) -> dict[str, UUID | None]:
    """The users that names mean here; the meeting's participants go before other members."""
    return {
        **_members_by_name(analysis.organization_id),
        **_participants_by_name(analysis.meeting_id),
    }


def _participants_by_name(meeting_id: UUID) -> dict[str, UUID | None]:
    """Participants by whole name and by the parts of it that no other participant's name has.

    None for those who are no member, and for a whole name that two of them have.
    """
    rows = Participant.objects.filter(meeting_id=meeting_id).values_list("name", "user_id")
    named = [(same_words(name), user_id) for name, user_id in rows]
    times = Counter(form for name, _ in named for form in {name, *name.split()})
    return {
        form: user_id if times[form] == 1 else None
        for name, user_id in named
        for form in {name, *name.split()}
        if times[form] == 1 or form == name
    }


def _members_by_name(organization_id: UUID) -> dict[str, UUID]:
    """The members whose whole name nobody else there has: only those can be meant for certain."""
    members = Membership.objects.filter(organization_id=organization_id)
    named = [(same_words(n), u) for n, u in members.values_list("user__name", "user_id") if n]
    times = Counter(name for name, _ in named)
    return {name: user_id for name, user_id in named if times[name] == 1}


def _row(item: Found, position: int, context: Context) -> Item:
    common = {**context.owned(), "analysis_id": context.analysis.id, "position": position}
    match item:
        case SummaryFound():
            return Summary(**common, text=item.text)
        case TopicFound():
            return Topic(**common, title=item.title, **_span(item, context))
        case DecisionFound():
            return Decision(**common, **_changeable(item))
        case ActionItemFound():
            return ActionItem(**common, **_changeable(item), **_duty(item, context))


def _changeable(item: DecisionFound | ActionItemFound) -> dict[str, Any]:
    return {"text": item.text, "found_text": item.text, "confidence": item.confidence}


def _duty(item: ActionItemFound, context: Context) -> dict[str, Any]:
    return {
        "owner_id": context.owners.get(same_words(item.owner_name)),
        "owner_name": item.owner_name[:LONGEST_NAME],
        "due_on": item.due_on,
        "due_phrase": item.due_phrase[:LONGEST_NAME],
    }


def _span(item: TopicFound, context: Context) -> dict[str, Any]:
    first, last = context.turns.get(item.first_turn_id), context.turns.get(item.last_turn_id)
    return {
        "first_segment_id": first.id if first else None,
        "last_segment_id": last.id if last else None,
    }


def _evidence(row: Item, quotes: Sequence[Quote], context: Context) -> Iterator[Evidence]:
    name = queries.EVIDENCE_OF[type(row)]
    for position, quote in enumerate(quotes):
        turn = context.turns.get(quote.turn_id)
        yield Evidence(
            **context.owned(),
            **{f"{name}_id": row.id},
            segment_id=turn.id if turn else None,
            position=position,
            quote=quote.text,
            verified=_is_said(quote, turn),
        )


def _is_said(quote: Quote, turn: Turn | None) -> bool:
    """Looked at again here: an engine's own word for it is not enough."""
    if turn is None or not quote.text.strip():
        return False
    return quote.verified and quote.text in turn.text
