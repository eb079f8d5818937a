"""What is wrong with an installation that makes files."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Warning, register  # noqa: A004

from exports.renderers.fonts import has_arabic_to_copy, missing_packages


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


@register
def check_arabic(**_kwargs: Any) -> list[CheckMessage]:
    """Letters that share a glyph, or have several, look right and are copied wrong."""
    if has_arabic_to_copy():
        return []
    message = "Arabic and Urdu cannot be copied out of PDFs as they were written."
    hint = "Install Debian's fonts-noto-core, or fontpkg-amiri from PyPI."
    return [Warning(message, hint=hint, id="exports.W002")]
