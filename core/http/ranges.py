"""Whole files and parts of them (RFC 9110, section 14)."""

from __future__ import annotations

import re

_ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
_MOST_DIGITS = 18


class Unsatisfiable(Exception):
    """The range begins where the file has ended."""


def wanted_part(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte of the part that is asked for; None for all of it.

    Several ranges, and what is no range, are answered with the whole file, as RFC 9110 allows.
    Raises Unsatisfiable.
    """
    asked = _ONE_RANGE.fullmatch(header.strip())
    if asked is None or max(map(len, asked.groups())) > _MOST_DIGITS:
        return None
    first, last = asked.groups()
    if not first:
        return _ending(last, size)
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return start, end


def _ending(length: str, size: int) -> tuple[int, int] | None:
    if not length:
        return None
    if int(length) == 0 or size == 0:
        raise Unsatisfiable
    return max(0, size - int(length)), size - 1
