"""ZIP: several files of one meeting in an archive that is the same for the same files."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

_DATE = (1980, 1, 1, 0, 0, 0)  # no clock: the same files, the same bytes


def pack(files: Sequence[tuple[str, Path]], target: Path) -> None:
    """Write an archive of files by the names they get in it."""
    with zipfile.ZipFile(target, "w") as archive:
        for name, path in files:
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            with path.open("rb") as source, archive.open(entry, "w") as packed:
                shutil.copyfileobj(source, packed)
