"""Where the layouts are."""

from __future__ import annotations

from pathlib import Path

LAYOUTS = Path(__file__).resolve().parents[2] / "templates" / "exports"
