"""`/invitations/{token}/`: the page behind the mailed link of an invitation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate, login
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from core.accounts import invitations
from core.accounts.models import Invitation, User
from core.pages.policy import protect

TEMPLATE = "accounts/invitation.html"
BACKEND = "django.contrib.auth.backends.ModelBackend"


class NewUserForm(forms.Form):
    """What a new person chooses: a name and a password."""

    name = forms.CharField(max_length=200, label="Your name")
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters.",
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if "password" in given:
            user = User(email=self.email, name=given.get("name", ""))
            try:
                validate_password(given["password"], user)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return given


class PasswordForm(forms.Form):
    """A known person's password."""

    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class InvitationView(View):
    """Shows an invitation, and accepts it by POST: mail scanners that follow links change nothing.

    A new person sets name and password; a known one signs in; one who is signed in confirms.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: Any
        try:
            invitation = invitations.open_invitation(kwargs["token"])
            response = super().dispatch(request, invitation, kwargs["token"])
        except invitations.InvitationUnusable:
            response = render(request, TEMPLATE, {"state": "unusable"}, status=404)
        return protect(response)

    def get(self, request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
        return self._page(request, invitation, self._form(request, invitation))

    def post(self, request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
        form = self._form(request, invitation, request.POST)
        if form is not None and not form.is_valid():
            return self._page(request, invitation, form, status=400)
        if form is None:
            user: Any = request.user
            invitations.accept_invitation(token=token, user=user)
        elif isinstance(form, NewUserForm):
            membership = invitations.accept_as_new_user(token=token, **form.cleaned_data)
            login(request, membership.user, backend=BACKEND)
        else:
            user = authenticate(
                request, username=invitation.email, password=form.cleaned_data["password"]
            )
            if user is None:
                form.add_error("password", "This password is not right.")
                return self._page(request, invitation, form, status=400)
            invitations.accept_invitation(token=token, user=user)
            login(request, user)
        return render(request, TEMPLATE, {"state": "accepted", "invitation": invitation})

    def _form(
        self, request: HttpRequest, invitation: Invitation, data: Any = None
    ) -> NewUserForm | PasswordForm | None:
        """The form that this visitor needs; none for the invited person's own session."""
        if request.user.is_authenticated and request.user.email == invitation.email:
            return None
        if invitations.invited_user(invitation) is None:
            return NewUserForm(data, email=invitation.email)
        return PasswordForm(data)

    def _page(
        self, request: HttpRequest, invitation: Invitation, form: Any, status: int = 200
    ) -> HttpResponse:
        is_new = isinstance(form, NewUserForm)
        values = {"state": "open", "invitation": invitation, "form": form, "is_new": is_new}
        return render(request, TEMPLATE, values, status=status)
