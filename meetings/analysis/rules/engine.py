"""The embedded engine: finds a section of an analysis without any model and any network."""

from __future__ import annotations

from meetings.analysis.deduplication import DistinctItems
from meetings.analysis.discussion import Discussion
from meetings.analysis.findings import Note, Section, SectionFindings
from meetings.analysis.rules.language import codes, table
from meetings.analysis.rules.sentences import Sentence, split_sentences

FALLBACK = "en"  # the table for a discussion in an unknown language

# Sections that are found by cues, so the language needs a table.
CUED = frozenset({Section.DECISIONS, Section.ACTION_ITEMS})


class RulesEngine:
    """Finds by cue tables and counting; see `meetings.analysis.engines.Engine`."""

    name = "embedded 1"

    def find(self, section: Section, discussion: Discussion) -> SectionFindings:
        """Return one section of the analysis; equal discussions give equal findings."""
        # numpy and dateparser are slow to import, and the web process only needs the name.
        from meetings.analysis.rules.sections import FINDERS  # noqa: PLC0415

        language = table(discussion.language or FALLBACK)
        sentences = split_sentences(discussion, language)
        notes = _notes(section, discussion, sentences)
        found = DistinctItems(())
        if not {Note.NOTHING_SAID, Note.NO_CUES_FOR_LANGUAGE} & set(notes):
            found = FINDERS[section](discussion, sentences, language)
            if section is Section.SUMMARY and not found.items:
                notes.append(Note.TOO_LITTLE_SAID)
        if found.has_more:
            notes.append(Note.MORE_THAN_SHOWN)
        # Without cues for the language no turn was searched.
        unread = Note.NO_CUES_FOR_LANGUAGE in notes
        turns_used = (
            0 if unread else len({part.turn for sentence in sentences for part in sentence.parts})
        )
        return SectionFindings(
            section=section,
            items=found.items,
            turns_used=turns_used,
            turns_total=len(discussion.turns),
            notes=tuple(notes),
        )


def _notes(section: Section, discussion: Discussion, sentences: list[Sentence]) -> list[Note]:
    if not any(character.isalnum() for sentence in sentences for character in sentence.text):
        return [Note.NOTHING_SAID]
    notes: list[Note] = []
    if not discussion.language:
        notes.append(Note.LANGUAGE_UNKNOWN)
    if section in CUED and discussion.language and discussion.language not in codes():
        notes.append(Note.NO_CUES_FOR_LANGUAGE)
    return notes
