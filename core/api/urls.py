"""What core answers under `/api/`."""

from __future__ import annotations

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from core.api import schema  # noqa: F401 - makes our ways to sign in known to the schema
from core.api.api_keys import ApiKeyViewSet
from core.api.health import LiveView, ReadyView
from core.api.invitations import InvitationViewSet
from core.api.jobs import JobViewSet
from core.api.me import MeView, OwnMembershipView
from core.api.memberships import MembershipViewSet
from core.api.notifications import NotificationViewSet, PreferenceListView, PreferenceView
from core.api.organizations import OrganizationViewSet
from core.api.problems import ProblemListView, ProblemView
from core.api.teams import TeamViewSet

router = SimpleRouter(use_regex_path=False)  # readable routes in logs
router.register("organizations", OrganizationViewSet, basename="organization")
router.register("teams", TeamViewSet, basename="team")
router.register("memberships", MembershipViewSet, basename="membership")
router.register("invitations", InvitationViewSet, basename="invitation")
router.register("api-keys", ApiKeyViewSet, basename="api-key")
router.register("jobs", JobViewSet, basename="job")
router.register("notifications", NotificationViewSet, basename="notification")

urlpatterns = [
    path("v1/", include(router.urls)),
    path("v1/me/", MeView.as_view(), name="me"),
    path("v1/me/memberships/<uuid:pk>/", OwnMembershipView.as_view(), name="own-membership"),
    path("v1/notification-preferences/", PreferenceListView.as_view(), name="preferences"),
    path("v1/notification-preferences/<str:kind>/", PreferenceView.as_view(), name="preference"),
    path("health/live", LiveView.as_view(), name="health-live"),
    path("health/ready", ReadyView.as_view(), name="health-ready"),
    path("problems/", ProblemListView.as_view(), name="problems"),
    path("problems/<str:code>", ProblemView.as_view(), name="problem"),
]
