"""What is wrong with an installation that makes files."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Warning, register  # noqa: A004

from exports.renderers.fonts import missing_packages


@register
def check_fonts(**_kwargs: Any) -> list[CheckMessage]:
    """Letters without a font print as empty boxes."""
    return [
        Warning(
            f"There are no fonts for {scripts}: their letters print as empty boxes in PDFs.",
            hint=f"Install Debian's {debian}, or {wheel} from PyPI.",
            id="exports.W001",
        )
        for scripts, debian, wheel in missing_packages()
    ]
