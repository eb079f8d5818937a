"""Staff pages for people, organizations, teams, memberships and keys."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from core.accounts import api_key_cache, services
from core.accounts.models import ApiKey, Membership, Organization, Team, User
from core.staff import formatting
from core.staff.filters import ByOrganization
from core.staff.read_only import ReadOnlyAdmin, ReadOnlyInline

# Rights come from roles; a second system of groups would only mislead.
admin.site.unregister(Group)


class ForgetsKeys(admin.ModelAdmin):
    """Lets every process look its API keys up again after a change."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        api_key_cache.invalidate()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        api_key_cache.invalidate()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        api_key_cache.invalidate()


class NewUserForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")


class MembershipInline(ReadOnlyInline):
    """Where a person belongs, or who belongs to an organization."""

    model = Membership
    fields = readonly_fields = ("person", "at", "role", "created_at")
    joined = ("user", "organization")
    ordering = ("id",)

    @admin.display(description="person")
    def person(self, membership: Membership) -> str:
        return formatting.link(membership.user)

    @admin.display(description="organization")
    def at(self, membership: Membership) -> str:
        return formatting.link(membership.organization)


class ShowsMembers(admin.ModelAdmin):
    """Memberships beside the form of a row that is there; they are no part of what is sent."""

    inlines = (MembershipInline,)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return () if obj is None or request.method == "POST" else self.inlines


@admin.register(User)
class PersonAdmin(ForgetsKeys, ShowsMembers, UserAdmin):
    add_form = NewUserForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "last_login", "created_at")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    filter_horizontal = ()
    readonly_fields = ("id", "sign_in", "last_login", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("email", "name", "sign_in", "id")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Times", {"fields": ("last_login", "created_at", "updated_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),
    )

    @admin.display(description="password")
    def sign_in(self, person: User) -> str:
        """Whether there is one, and where to set another. Django would show parts of its hash."""
        address = reverse("admin:auth_user_password_change", args=[person.pk])
        state = "set" if person.has_usable_password() else "none: cannot sign in with one"
        return format_html('{} (<a href="{}">set another</a>)', state, address)


@admin.register(Organization)
class OrganizationAdmin(ForgetsKeys, ShowsMembers):
    list_display = ("name", "members", "time_zone", "language", "created_at")
    list_filter = ("created_at",)
    search_fields = ("=id", "name")
    readonly_fields = ("id", "created_at", "updated_at")
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(member_count=Count("memberships"))

    @admin.display(description="members", ordering="member_count")
    def members(self, organization: Any) -> int:
        return int(organization.member_count)


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):
    list_display = ("name", "organization", "created_at")
    list_filter = (ByOrganization,)
    list_select_related = ("organization",)
    search_fields = ("name", "organization__name")
    autocomplete_fields = ("organization",)
    readonly_fields = ("id", "created_at", "updated_at")


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Read-only: the rules about owners live in services, behind the API."""

    list_display = ("user", "organization", "role", "created_at")
    list_select_related = ("user", "organization")
    list_filter = ("role", ByOrganization)
    search_fields = ("user__email", "organization__name")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("prefix", "name", "state", "user", "organization", "last_used_at", "expires_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "last_used_at", ByOrganization)
    list_select_related = ("user", "organization")
    search_fields = ("prefix", "name", "user__email", "organization__name")
    exclude = ("secret_hash",)
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(read_at=Now())

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("core.change_apikey")

    def action_applies(self, _action: str, key: ApiKey) -> bool:
        return key.revoked_at is None

    @admin.display(description="state")
    def state(self, key: Any) -> str:
        """Whether the key still opens anything."""
        if key.revoked_at is not None:
            return formatting.label("off", "revoked")
        if key.has_expired(key.read_at):
            return formatting.label("off", "expired")
        return formatting.label("good", "works")

    @admin.action(description="Revoke the chosen keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """The one thing that can be done to a key."""
        for key in queryset:
            services.revoke_api_key(api_key=key)
        self.message_user(request, f"{len(queryset)} keys revoked.")
