"""What the lists can be narrowed by."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet

from core.http.filters import DateTimeFilter, TruthFilter
from core.jobs.models import JobStatus
from meetings.models import ActionItem, Decision, ItemStatus, Meeting, MeetingStatus, Recording


class MeetingFilter(django_filters.FilterSet):
    """`q` (words of the title), `status`, `team`, `tag`, and times of creation and start."""

    q = django_filters.CharFilter(
        method="with_words", max_length=200, help_text="Words of the title; all must be in it."
    )
    status = django_filters.ChoiceFilter(choices=MeetingStatus.choices)
    team = django_filters.UUIDFilter(field_name="team_id", help_text="Visible to this team only.")
    tag = django_filters.CharFilter(method="with_tag", help_text="Has this tag.")
    created_after = DateTimeFilter(field_name="created_at", lookup_expr="gt")
    created_before = DateTimeFilter(field_name="created_at", lookup_expr="lt")
    starts_after = DateTimeFilter(
        field_name="starts_at", lookup_expr="gte", help_text="Starts at this time or later."
    )
    starts_before = DateTimeFilter(
        field_name="starts_at", lookup_expr="lt", help_text="Starts before this time."
    )

    class Meta:
        model = Meeting
        fields = ("status", "team", "tag")

    def with_words(self, meetings: QuerySet[Meeting], _name: str, value: str) -> QuerySet[Meeting]:
        words = (Q(title__icontains=word) for word in value.split())
        return meetings.filter(*words)

    def with_tag(self, meetings: QuerySet[Meeting], _name: str, value: str) -> QuerySet[Meeting]:
        return meetings.filter(tags__contains=[value])


class RecordingFilter(django_filters.FilterSet):
    """`meeting`, `status` (of its transcription), and time of creation."""

    meeting = django_filters.UUIDFilter(field_name="meeting_id", help_text="Of this meeting.")
    status = django_filters.ChoiceFilter(field_name="status_now", choices=JobStatus.choices)
    created_after = DateTimeFilter(field_name="created_at", lookup_expr="gt")
    created_before = DateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Recording
        fields = ("meeting",)


class DecisionFilter(django_filters.FilterSet):
    """`status`, `meeting`, `team`, and time of creation."""

    status = django_filters.ChoiceFilter(choices=ItemStatus.choices)
    meeting = django_filters.UUIDFilter(field_name="meeting_id", help_text="Of this meeting.")
    team = django_filters.UUIDFilter(
        field_name="meeting__team_id", help_text="Of meetings that are visible to this team only."
    )
    created_after = DateTimeFilter(field_name="created_at", lookup_expr="gt")
    created_before = DateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Decision
        fields = ("status", "meeting", "team")


class ActionItemFilter(DecisionFilter):
    """As decisions; and `owner` (a user), `owner_name` (part of it), due dates and what is done.

    `open` is what remains to be done: neither completed nor dismissed.
    """

    owner = django_filters.UUIDFilter(field_name="owner_id", help_text="Assigned to this user.")
    owner_name = django_filters.CharFilter(
        field_name="owner_name",
        lookup_expr="icontains",
        help_text="Part of the owner's name as spoken.",
    )
    due_after = django_filters.DateFilter(
        field_name="due_on", lookup_expr="gte", help_text="Due on this day or later."
    )
    due_before = django_filters.DateFilter(
        field_name="due_on", lookup_expr="lt", help_text="Due before this day."
    )
    completed = TruthFilter(
        field_name="completed_at",
        lookup_expr="isnull",
        exclude=True,
        help_text="Whether the item is completed.",
    )

    open = TruthFilter(
        method="still_open", help_text="Neither completed nor dismissed; false: one of them."
    )

    class Meta:
        model = ActionItem
        fields = ("status", "meeting", "team", "owner")

    def still_open(
        self, items: QuerySet[ActionItem], _name: str, value: bool
    ) -> QuerySet[ActionItem]:
        over = Q(completed_at__isnull=False) | Q(status=ItemStatus.DISMISSED)
        return items.exclude(over) if value else items.filter(over)
