"""A process that does jobs in children of its own, for jobs that kill whoever does them.

It reads ids of jobs and answers each with how its child ended. It has one thread and no connection
of its own, so a child begins with no lock that somebody else holds.
"""

from __future__ import annotations

import os
import sys

import django


def main() -> None:
    """Do the jobs whose ids come in, one a line."""
    django.setup()
    from core.jobs import worker
    from tests.core.jobs import kinds  # noqa: F401 - so that they are known

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            worker.perform(line.strip())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
