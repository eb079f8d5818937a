"""Settings from the environment: one of the wrong form is a finding of `check`, no traceback."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import environ


class Environment(environ.Env):
    """Reads values; one that cannot be read counts as unset, and `faults` names it."""

    def __init__(self) -> None:
        super().__init__()
        self.known: set[str] = set()
        self.faults: dict[str, str] = {}
        self.file_names: set[str] = set()

    def read_file(self, path: Path) -> None:
        """Take the values of a `.env` file that the environment does not have."""
        before = set(os.environ)
        self.read_env(str(path))
        lines = path.read_text("utf-8", "replace").splitlines()
        names = {line.partition("=")[0].removeprefix("export ").strip() for line in lines}
        self.file_names = {name for name in names if name.isidentifier()} | (
            set(os.environ) - before
        )

    def get_value(
        self, var: Any, cast: Any = None, default: Any = None, parse_default: Any = False
    ) -> Any:
        self.known.add(str(var))
        try:
            return super().get_value(var, cast, default, parse_default)
        except (ValueError, LookupError, environ.ImproperlyConfigured):
            self.faults[str(var)] = getattr(cast, "__name__", "list of numbers")
            return default

    def parts_of_url(
        self, name: str, read: Callable[[str], dict[str, Any]], url: str, *, otherwise: str
    ) -> dict[str, Any]:
        """What a URL comes to in Django's settings; what `otherwise` does when it has no sense."""
        try:
            return read(url)
        except (ValueError, LookupError, environ.ImproperlyConfigured):
            self.faults[name] = "url"
            return read(otherwise)
