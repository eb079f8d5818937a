"""Where webhooks answer, under /api/v1/."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from webhooks.api.deliveries import DeliveryViewSet
from webhooks.api.endpoints import EndpointViewSet
from webhooks.api.event_types import EventTypeListView
from webhooks.api.inbound_messages import InboundMessageReceiver, MessageViewSet
from webhooks.api.inbound_sources import SourceViewSet

router = SimpleRouter()
router.register("webhooks/endpoints", EndpointViewSet, basename="endpoint")
router.register("webhooks/deliveries", DeliveryViewSet, basename="delivery")
router.register("webhooks/sources", SourceViewSet, basename="inbound-source")
router.register("webhooks/messages", MessageViewSet, basename="inbound-message")

urlpatterns = [
    path("webhooks/event-types/", EventTypeListView.as_view(), name="event-types"),
    path("hooks/<uuid:source_id>/", InboundMessageReceiver.as_view(), name="inbound-receive"),
    *router.urls,
]
