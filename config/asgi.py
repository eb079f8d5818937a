"""The web process: granian serves this application, see `config/processes.py`."""

from __future__ import annotations

import resource

from django.core.management.base import BaseCommand

from config.processes import WEB_CONNECTIONS, WEB_THREADS
from config.wsgi import application as wsgi_application
from core.http.gateway import Gateway


def _allow_open_files(count: int) -> None:
    """Every connection is a file, and many shells allow a process 1,024 of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


BaseCommand().check()  # a misspelt setting must not be served with its default
_allow_open_files(2 * WEB_CONNECTIONS)
application = Gateway(wsgi_application, threads=WEB_THREADS)
