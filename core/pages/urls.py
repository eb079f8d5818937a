"""Addresses of the pages for people."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from core.pages.invitations import InvitationView
from core.pages.jobs import JobView
from core.pages.sign_in import SignInView

urlpatterns = [
    path("sign-in/", SignInView.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(next_page="sign-in"), name="sign-out"),
    path("jobs/<uuid:job_id>/", JobView.as_view(), name="job"),
    path("invitations/<str:token>/", InvitationView.as_view(), name="invitation"),
]
