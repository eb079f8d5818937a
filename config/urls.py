"""Every URL of the installation."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerView

from config.api_description import schema
from core.http.errors import api_not_found

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/schema/", schema, name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/docs/", include("webhooks.pages.urls")),
    path("", include("core.pages.urls")),
    path("api/", include("core.api.urls")),
    path("api/v1/", include("meetings.api.urls")),
    path("api/v1/", include("exports.api.urls")),
    path("api/v1/", include("webhooks.api.urls")),
    path("api/<path:rest>", csrf_exempt(api_not_found)),
    path("", RedirectView.as_view(pattern_name="docs")),
]

handler400 = "core.http.errors.bad_request"
handler403 = "core.http.errors.permission_denied"
handler404 = "core.http.errors.page_not_found"
handler500 = "core.http.errors.server_error"
