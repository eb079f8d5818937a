"""What the log of deliveries can be narrowed by."""

from __future__ import annotations

import django_filters

from core.http.filters import DateTimeFilter
from webhooks.models import Delivery, DeliveryStatus


class DeliveryFilter(django_filters.FilterSet):
    """`status`, `event_type`, `endpoint`, `event`, and time of creation."""

    status = django_filters.ChoiceFilter(choices=DeliveryStatus.choices)
    event_type = django_filters.CharFilter()
    endpoint = django_filters.UUIDFilter(field_name="endpoint_id")
    event = django_filters.UUIDFilter(field_name="event_id")
    created_after = DateTimeFilter(field_name="created_at", lookup_expr="gt")
    created_before = DateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Delivery
        fields = ("status", "event_type", "endpoint", "event")
