"""The embedded engine: what a discussion comes to, found without any model and any network."""

from __future__ import annotations

from meetings.analysis.discussion import Discussion
from meetings.analysis.findings import Note, Section, SectionFindings
from meetings.analysis.language import codes, table
from meetings.analysis.sameness import Kept
from meetings.analysis.sentences import Sentence, sentences

NAME = "embedded 1"
FALLBACK = "en"  # how a discussion in an unknown language is read

# What is read by its cues, of which a language needs a table.
CUED = frozenset({Section.DECISIONS, Section.ACTION_ITEMS})


def find(section: Section, discussion: Discussion) -> SectionFindings:
    """One section of the analysis, from all turns of `discussion`.

    Nothing that was said raises: what could not be done stands in the notes. The same discussion
    gives the same findings, whatever the clock says. Quotes stand in their turns letter by letter.
    """
    from meetings.analysis.finders import FINDERS  # noqa: PLC0415 - other processes name the engine

    language = table(discussion.language or FALLBACK)
    said = sentences(discussion, language)
    notes = _notes(section, discussion, said)
    kept = Kept(())
    if not {Note.NOTHING_SAID, Note.NO_CUES_FOR_LANGUAGE} & set(notes):
        kept = FINDERS[section](discussion, said, language)
        if section is Section.SUMMARY and not kept.items:
            notes = (*notes, Note.TOO_LITTLE_SAID)
    if kept.more:
        notes = (*notes, Note.MORE_THAN_SHOWN)
    return SectionFindings(
        section=section,
        items=kept.items,
        turns_used=_turns_used(said, notes),
        turns_total=len(discussion.turns),
        notes=notes,
    )


def _notes(section: Section, discussion: Discussion, said: list[Sentence]) -> tuple[Note, ...]:
    if not any(character.isalnum() for each in said for character in each.text):
        return (Note.NOTHING_SAID,)
    notes: list[Note] = []
    if not discussion.language:
        notes.append(Note.LANGUAGE_UNKNOWN)
    if section in CUED and discussion.language and discussion.language not in codes():
        notes.append(Note.NO_CUES_FOR_LANGUAGE)
    return tuple(notes)


def _turns_used(said: list[Sentence], notes: tuple[Note, ...]) -> int:
    """The turns that were read: those with words, and none where the language has no cues."""
    if Note.NO_CUES_FOR_LANGUAGE in notes:
        return 0
    return len({part.turn for each in said for part in each.parts})
