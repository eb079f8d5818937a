"""The web process: served by granian, see `./mb dev` and docker-compose.yml."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("PROCESS", "web")
application = get_wsgi_application()
