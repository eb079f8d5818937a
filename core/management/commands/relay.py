"""The relay process: `manage.py relay`. Run one or more; they share the work."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from core.files.marker import wait_for_storage
from core.relay import loop


class Command(BaseCommand):
    help = "Send queued jobs to the workers, recover lost ones, and tell listeners of events."

    def handle(self, *_args: Any, **_options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        wait_for_storage(stop)
        loop.run(stop)
