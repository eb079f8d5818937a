"""Slots of a shared resource, divided so that no holder can take them all."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable


class Shares:
    """A number of slots. A holder is given another one only while as many stay free for others.

    One holder alone gets half of the slots, the next one half of what is left, and so on: someone
    who holds none yet is refused only when none is left at all.
    """

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._held: Counter[Hashable] = Counter()
        self._lock = threading.Lock()

    def take(self, holder: Hashable) -> bool:
        """Give the holder a slot, to be given back with `release`; whether there was one."""
        with self._lock:
            if self._held[holder] >= self._free:
                return False
            self._held[holder] += 1
            self._free -= 1
            return True

    def release(self, holder: Hashable) -> None:
        """Give back one slot."""
        with self._lock:
            self._free += 1
            self._held[holder] -= 1
            if not self._held[holder]:
                del self._held[holder]
