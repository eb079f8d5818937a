"""The test settings: the services start here, because Django is set up before any conftest runs."""

from __future__ import annotations

import os

from config import devstack

os.environ.update(devstack.up("test"))
os.environ.setdefault("SECRET_KEY", "for tests only, fifty characters or more, never anywhere else")
os.environ.setdefault("LOG_LEVEL", "WARNING")
os.environ.setdefault("STORAGE_URL", str(devstack.home("test") / "files"))

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
