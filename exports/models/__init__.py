"""The nouns of exports."""

from __future__ import annotations

from exports.models.export import Export, ExportStatus

__all__ = ["Export", "ExportStatus"]
