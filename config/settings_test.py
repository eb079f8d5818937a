"""The test settings: the services start here, because Django is set up before any conftest runs.

Test processes that run side by side share the servers and nothing on them: pytest-django gives each
a database of its own, and here each gets a broker, a cache and a folder of its own.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from config import devstack

# A run starts some thirty of our processes. Where nothing may keep what was compiled, each compiles
# all of it again, and pytest rewrites every assertion again: a fifth of the whole time.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


def _numbered(url: str, step: int) -> str:
    """The Redis database that lies so many further."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{int(parts.path.strip('/') or 0) + step}"))


os.environ["ENV_FILE"] = ""
os.environ.update(devstack.up("test"))
os.environ.setdefault("STORAGE_URL", str(devstack.home("test") / "files"))
if WORKER:
    # Those of the process that started this one come first: two databases each.
    step = 2 * (int(WORKER.removeprefix("gw")) + 1)
    for name in ("REDIS_URL", "CACHE_URL"):
        os.environ[name] = _numbered(os.environ[name], step)
    os.environ["STORAGE_URL"] = str(Path(os.environ["STORAGE_URL"]) / WORKER)
os.environ.setdefault("SECRET_KEY", "for tests only, fifty characters or more, never anywhere else")
os.environ.setdefault("SECRET_KEYS", "tests:Zm9yIHRlc3RzIG9ubHksIHRoaXJ0eS10d28gYnl0ZXM=")
os.environ.setdefault("OUTBOUND_ALLOW_HTTP", "true")  # customers' servers are played by ours
os.environ.setdefault("LOG_LEVEL", "WARNING")

from config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
# Nothing is collected for tests; tests/config/test_static_files.py starts a process with it.
MIDDLEWARE.remove("whitenoise.middleware.WhiteNoiseMiddleware")  # noqa: F405
WEBHOOK_SENDER_IDLE_SECONDS = 0.0  # a drained test waits for nobody
