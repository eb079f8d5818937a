"""What exports tell the rest of the house and the world."""

from __future__ import annotations

from typing import TypedDict

from core.events.registry import declare

ID = "01a20120-2c33-720d-813f-2661fc926788"


class ExportRequested(TypedDict):
    export_id: str
    meeting_id: str
    format: str


class ExportCompleted(TypedDict):
    """`revision` is the meeting's that the file shows."""

    export_id: str
    meeting_id: str
    format: str
    revision: int
    size_bytes: int
    sha256: str


class ExportFailed(TypedDict):
    """`error_code` is one of those in exports/README.md and core/README.md."""

    export_id: str
    meeting_id: str
    format: str
    error_code: str


EXPORT_REQUESTED = declare(
    "export.requested",
    data=ExportRequested,
    example={"export_id": ID, "meeting_id": ID, "format": "pdf"},
    description="Somebody asked for a file of a meeting.",
)
EXPORT_COMPLETED = declare(
    "export.completed",
    data=ExportCompleted,
    example={
        "export_id": ID,
        "meeting_id": ID,
        "format": "pdf",
        "revision": 3,
        "size_bytes": 120_000,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    },
    description="A file of a meeting can be fetched.",
)
EXPORT_FAILED = declare(
    "export.failed",
    data=ExportFailed,
    example={
        "export_id": ID,
        "meeting_id": ID,
        "format": "srt",
        "error_code": "export.no_times",
    },
    description="A file of a meeting could not be made.",
)
