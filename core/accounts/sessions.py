"""Signed-in people: their sessions and last sign-ins by the database's clock.

Django takes both from the clock of the process.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends import db
from django.db.models.functions import Now

from core.accounts.models import User
from core.db.clock import database_now


class SessionStore(db.SessionStore):
    """Sessions as rows that end by the database's clock."""

    def get_expiry_date(self, **given: Any) -> datetime:
        return super().get_expiry_date(**({"modification": database_now()} | given))

    def _get_session_from_db(self) -> Any:
        rows = self.model.objects.filter(session_key=self.session_key, expire_date__gt=Now())
        session = rows.first()
        if session is None:
            self._session_key = None
        return session


def record_sign_in(user: User, **_: Any) -> None:
    """Write the time of a sign-in."""
    User.objects.filter(pk=user.pk).update(last_login=Now())


# Django's receiver of the same name writes the time of the process.
user_logged_in.disconnect(dispatch_uid="update_last_login")
user_logged_in.connect(record_sign_in, dispatch_uid="update_last_login")
