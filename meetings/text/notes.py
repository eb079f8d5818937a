"""Notes on a transcript: what was left out of it or done to its source, by stable codes."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any


class NoteCode(enum.StrEnum):
    """The codes of notes; the values never change."""

    NO_SPEECH = "no_speech"
    TRACKS_WITHOUT_SPEECH = "tracks_without_speech"
    TRACKS_NOT_READABLE = "tracks_not_readable"
    TRACKS_NOT_EXAMINED = "tracks_not_examined"
    TRACKS_IN_OTHER_LANGUAGES = "tracks_in_other_languages"
    CHANNELS_WITHOUT_SPEECH = "channels_without_speech"
    CHANNELS_INVERTED = "channels_inverted"
    QUIET_SPEECH_AMPLIFIED = "quiet_speech_amplified"
    ENCODING_RECOGNISED = "encoding_recognised"
    CUES_SKIPPED = "cues_skipped"
    HEAD_LEFT_OUT = "head_left_out"
    TIMES_OF_DAY = "times_of_day"
    WORD_TIMES_LEFT_OUT = "word_times_left_out"
    LANGUAGE_NOT_KNOWN = "language_not_known"


# The names in braces are the details that each note comes with.
MESSAGES: dict[NoteCode, str] = {
    NoteCode.NO_SPEECH: "No speech was found in this recording.",
    NoteCode.TRACKS_WITHOUT_SPEECH: "Audio tracks without speech were left out: {tracks}.",
    NoteCode.TRACKS_NOT_READABLE: "Audio tracks that cannot be decoded were left out: {tracks}.",
    NoteCode.TRACKS_NOT_EXAMINED: "Audio tracks beyond the eighth were not listened to: {tracks}.",
    NoteCode.TRACKS_IN_OTHER_LANGUAGES: "Audio tracks marked as another language were left out: "
    "{tracks}.",
    NoteCode.CHANNELS_WITHOUT_SPEECH: "Channels of audio track {track} without speech were left "
    "out: {channels}.",
    NoteCode.CHANNELS_INVERTED: "Channels of audio track {track} in opposite phase were inverted: "
    "{channels}.",
    NoteCode.QUIET_SPEECH_AMPLIFIED: "Audio track {track} is very quiet and was amplified by "
    "{decibels} dB.",
    NoteCode.ENCODING_RECOGNISED: "The file was read as {encoding}.",
    NoteCode.CUES_SKIPPED: "The file holds what cannot be read; it was left out: {where}.",
    NoteCode.HEAD_LEFT_OUT: "Lines before the first words were left out: {lines}.",
    NoteCode.TIMES_OF_DAY: "The file holds times of day; they were counted from the first one.",
    NoteCode.WORD_TIMES_LEFT_OUT: "Times of words that are not those of the text were left out: "
    "{where}.",
    NoteCode.LANGUAGE_NOT_KNOWN: "The file names a language that is not known: {language}.",
}


@dataclass(frozen=True, slots=True)
class Note:
    """One note. `details` are plain values by name; tracks and channels count from 1."""

    code: NoteCode
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The note as a sentence."""
        shown = {
            name: ", ".join(map(str, value)) if isinstance(value, list) else value
            for name, value in self.details.items()
        }
        return MESSAGES[self.code].format(**shown)

    def to_json(self) -> dict[str, Any]:
        return {"code": str(self.code), "details": self.details}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Note:
        return cls(NoteCode(data["code"]), data["details"])
