"""Running a Django command for a shell."""

from __future__ import annotations

import os
import select
import sys

from django.core.management import execute_from_command_line

KILLED_BY_SIGPIPE = 141  # as a shell reports it


def run_command(arguments: list[str]) -> None:
    """Run a command; a reader that closes the pipe, as `head` does, ends it without an error."""
    try:
        execute_from_command_line(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        if not _is_output_closed():  # then it is a connection that broke
            raise
        # Python flushes again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(KILLED_BY_SIGPIPE)


def _is_output_closed() -> bool:
    poll = select.poll()
    poll.register(sys.stdout, select.POLLOUT)
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))
