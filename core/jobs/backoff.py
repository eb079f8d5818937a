"""How long to wait between the attempts of a job."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exponential:
    """Doubling delays with full jitter: between none and `first * 2**n`, at most `longest` seconds.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    first: float = 2.0
    longest: float = 600.0

    def delay(self, attempt: int) -> float:
        """Seconds to wait after attempt number `attempt` (1 is the first)."""
        ceiling = min(self.first * 2 ** (attempt - 1), self.longest)
        return random.uniform(0, ceiling)  # noqa: S311 - jitter, not a secret

    def __str__(self) -> str:
        return f"from {self.first:g} s, doubling"


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same delay after every attempt."""

    seconds: float

    def delay(self, attempt: int) -> float:
        """Seconds to wait, whichever attempt it was."""
        return self.seconds

    def __str__(self) -> str:
        return f"{self.seconds:g} s"


Backoff = Exponential | Fixed
