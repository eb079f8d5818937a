"""Records every sign-in that failed: where it came from and for whom, never the password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from core.accounts.models import User
from core.accounts.models.user import normal_email
from core.http.address import client_ip
from core.security.services import record_security_event


def record_failed_sign_in(
    *, credentials: Mapping[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    """Receive Django's signal, which all forms and the invitation page send."""
    address = normal_email(str(credentials.get("username", "")))
    user = User.objects.filter(email=address).first()
    # People type passwords into the field of the address. The hash shows which attempts were for
    # the same address, without keeping what was typed.
    unknown = {"address_hash": salted_hmac(__name__, address).hexdigest()[:12]}
    record_security_event(
        kind="sign_in.failed",
        user_id=user.pk if user else None,
        ip=client_ip(request) if request else None,
        data={"reason": _reason(user), **({} if user else unknown)},
    )


def _reason(user: User | None) -> str:
    if user is None:
        return "unknown address"
    return "wrong password" if user.is_active else "person not active"


user_login_failed.connect(record_failed_sign_in, dispatch_uid="core.failed_sign_ins")
