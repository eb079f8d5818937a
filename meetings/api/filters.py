"""What a list of meetings can be narrowed by."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from meetings.models import Meeting, MeetingStatus


class MeetingFilter(django_filters.FilterSet):
    """`status`, `team`, `tag`, and times of creation and start."""

    status = django_filters.ChoiceFilter(choices=MeetingStatus.choices)
    team = django_filters.UUIDFilter(field_name="team_id")
    tag = django_filters.CharFilter(method="with_tag")
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gt")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    starts_after = django_filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="gte")
    starts_before = django_filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = Meeting
        fields = ("status", "team", "tag")

    def with_tag(self, meetings: QuerySet[Meeting], _name: str, value: str) -> QuerySet[Meeting]:
        return meetings.filter(tags__contains=[value])
