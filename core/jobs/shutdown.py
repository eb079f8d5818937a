"""One shared byte by which a worker's main process tells its children to hand their jobs back."""

from __future__ import annotations

import mmap
from typing import Any

from celery.signals import worker_shutting_down

# Anonymous shared memory: made before the fork, seen by every pool process.
_flag = mmap.mmap(-1, 1)


def is_requested() -> bool:
    """Whether this worker was asked to stop."""
    return _flag[0] == 1


@worker_shutting_down.connect(weak=False)
def _request(**_kwargs: Any) -> None:
    _flag[0] = 1
