"""The fonts of PDFs, and which characters they can show.

From packages only: Debian's `fonts-noto-core`, `fonts-noto-cjk` and `fonts-noto-color-emoji`, else
`manimgx-fonts`, `manimgx-fonts-cjk` and `fontpkg-amiri` from PyPI. Never the fonts that a machine
happens to have.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import uharfbuzz

_DEBIAN = Path("/usr/share/fonts")
_WEIGHTS = ("Regular", "Bold")
_SCRIPTS = (
    "", "Arabic", "Armenian", "Bengali", "Devanagari", "Ethiopic", "Georgian", "Gujarati",
    "Gurmukhi", "Hebrew", "Kannada", "Khmer", "Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala",
    "Symbols", "Symbols2", "Tamil", "Telugu", "Thai",
)  # fmt: skip

# Words that a font of Arabic is tried on before it is taken.
_TRIED_ON = (
    "\u0628\u062a\u062b\u0646\u064a\u0634 \u0644\u0627 "  # beh teh theh noon yeh sheen, la
    "\u0625\u0644\u0649 \u0627\u0644\u0644\u0647"  # to, God
    " \u0679\u06be\u06cc\u06a9 \u06c1\u06d2"  # Urdu letters
)
# Ligatures that nobody needs for reading: templates/exports/meeting.typ forgoes them too.
_LIGATURES = {"liga": False, "clig": False}

REPLACEMENT = "\u25a1"
# Shown by no glyph and needed by the letters beside them.
_JOINERS = frozenset(map(ord, "\u200b\u200c\u200d\u200e\u200f\n "))
# Without a glyph these are nothing at all, not a missing character.
_SELECTORS = re.compile("[\u00ad\u2060-\u2064\ufe00-\ufe0f\U000e0000-\U000e01ef]")

# A script's own font first: looking it up behind the others costs a third of the time.
_OWN_FONT = {
    "he": "Noto Sans Hebrew",
    "hi": "Noto Sans Devanagari",
    "mr": "Noto Sans Devanagari",
    "ne": "Noto Sans Devanagari",
    "bn": "Noto Sans Bengali",
    "ta": "Noto Sans Tamil",
    "te": "Noto Sans Telugu",
    "th": "Noto Sans Thai",
}
_ARABIC = frozenset({"ar", "fa", "ur"})
_CHINESE_CHARACTERS = {"ja": "JP", "ko": "KR", "zh-tw": "TC", "zh-hant": "TC", "zh-hk": "HK"}
_EMOJI = ("Noto Color Emoji", "Noto Emoji")


@dataclass(frozen=True, slots=True)
class FontSet:
    """Font files, and every character that one of them shows."""

    files: tuple[Path, ...]
    covered: frozenset[int]


@cache
def font_set() -> FontSet:
    """The fonts of this installation; without any, PDFs show Latin letters only."""
    arabic = (file for files in _arabic_files().values() for file in files)
    files = (*_text_files(), *arabic, *_chinese_files(), *_emoji_files())
    covered = set(_JOINERS)
    for file in files:
        covered.update(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(file))).unicodes)
    return FontSet(files, frozenset(covered))


def _text_files() -> tuple[Path, ...]:
    folder = _DEBIAN / "truetype" / "noto"
    named = (folder / f"NotoSans{s}-{w}.ttf" for s in _SCRIPTS for w in _WEIGHTS)
    found = tuple(file for file in named if file.is_file())
    return found or _packaged("manimgx_fonts", "NotoSans*.ttf")


@cache
def _arabic_files() -> dict[str, tuple[Path, ...]]:
    """Families in which each Arabic letter is a glyph of its own, the preferred one first.

    Only such letters are copied as they were written. In other fonts lam and alef share a glyph,
    and in newer ones dots are glyphs beside their letters.
    """
    folder = _DEBIAN / "truetype" / "noto"
    naskh = (folder / f"NotoNaskhArabic-{w}.ttf" for w in _WEIGHTS)
    found = {
        "Noto Naskh Arabic": tuple(file for file in naskh if file.is_file()),
        "Amiri": _packaged("fontpkg_amiri", "files/Amiri-*.ttf"),
    }
    return {
        family: files
        for family, files in found.items()
        if files and all(map(_is_one_to_one, files))
    }


def _is_one_to_one(file: Path) -> bool:
    """Whether a font shows some words with as many glyphs as they have letters, in their order."""
    font = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(file))))
    text = uharfbuzz.Buffer()
    text.add_str(_TRIED_ON)
    text.guess_segment_properties()
    uharfbuzz.shape(font, text, _LIGATURES)
    return [glyph.cluster for glyph in text.glyph_infos] == list(range(len(_TRIED_ON)))[::-1]


def _chinese_files() -> tuple[Path, ...]:
    folder = _DEBIAN / "opentype" / "noto"
    found = tuple(file for w in _WEIGHTS if (file := folder / f"NotoSansCJK-{w}.ttc").is_file())
    return found or _packaged("manimgx_fonts_cjk", "*.ttc")


def _emoji_files() -> tuple[Path, ...]:
    coloured = _DEBIAN / "truetype" / "noto" / "NotoColorEmoji.ttf"
    return (coloured,) if coloured.is_file() else _packaged("manimgx_fonts", "NotoEmoji*.ttf")


def missing_packages() -> list[tuple[str, str, str]]:
    """Which letters have no font: what they are, Debian's package and the wheel that bring one."""
    wanted = (
        ("most scripts", "fonts-noto-core", "manimgx-fonts", _text_files()),
        ("Chinese, Japanese and Korean", "fonts-noto-cjk", "manimgx-fonts-cjk", _chinese_files()),
        ("emoji", "fonts-noto-color-emoji", "manimgx-fonts", _emoji_files()),
    )
    return [(scripts, debian, wheel) for scripts, debian, wheel, files in wanted if not files]


def has_arabic_to_copy() -> bool:
    """Whether Arabic and Urdu come out of a PDF as they went in."""
    return bool(_arabic_files())


def _packaged(package: str, pattern: str) -> tuple[Path, ...]:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return ()
    return tuple(sorted(Path(spec.origin).parent.glob(pattern)))


def families_for(language: str) -> list[str]:
    """Font families in the order in which they are looked through for text in a language."""
    code = language.lower()
    short = code.partition("-")[0]
    region = _CHINESE_CHARACTERS.get(code) or _CHINESE_CHARACTERS.get(short, "SC")
    chinese = f"Noto Sans CJK {region}"
    arabic = [*list(_arabic_files())[:1], "Noto Sans Arabic"]
    own = [chinese] if short in ("zh", "ja", "ko") else [_OWN_FONT.get(short, "")]
    if short in _ARABIC:
        own = arabic
    others = [*arabic, *(f"Noto Sans {script}" for script in _SCRIPTS if script)]
    return list(dict.fromkeys([*filter(None, own), "Noto Sans", *others, chinese, *_EMOJI]))


class Shown:
    """Makes texts such that every character of theirs has a glyph; counts what it replaced."""

    def __init__(self, fonts: FontSet) -> None:
        self._covered = fonts.covered
        self.replaced = 0

    def __call__(self, text: str) -> str:
        if text.isascii():
            return text
        missing = set(map(ord, text)) - self._covered
        if not missing:
            return text
        text = _SELECTORS.sub("", text)
        missing = set(map(ord, text)) - self._covered
        self.replaced += sum(text.count(chr(code)) for code in missing)
        return text.translate(dict.fromkeys(missing, REPLACEMENT))
