"""`/sign-in/`: a person starts a session."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponseBase

from core.pages.policy import protect


class SignInView(LoginView):
    """Signs a person in by e-mail address and password."""

    template_name = "accounts/sign_in.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: Any = super().dispatch(request, *args, **kwargs)
        return protect(response)
