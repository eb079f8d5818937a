"""For processes under `faketime`, with `--include`: a sleep that the program does not break.

Python 3.11 sleeps by `clock_nanosleep` on the monotonic clock. faketime 0.9 shifts that call's
deadline even when it was told to leave that clock alone, and the call fails.
"""

from __future__ import annotations

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex) -> None:
    select.select([], [], [], float(seconds))


time.sleep = _sleep
