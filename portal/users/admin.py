"""People and teams in the admin."""

from http import HTTPStatus
from typing import Any

from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from portal.admin_site import (
    AdminPasswordChangeForm,
    ModelAdmin,
    TabularInline,
    UserChangeForm,
    UserCreationForm,
    display,
    register,
)
from portal.users.accounts import vouch_for_address
from portal.users.admin_guard import KeepsAnAdmin
from portal.users.doors import providers
from portal.users.identity_admin import IdentityInline
from portal.users.models import Membership, RoleGrant, Team, User
from portal.users.second_factor_admin import SecondFactorPage


class RoleGrantInline(TabularInline):
    model = RoleGrant


class MembershipInline(TabularInline):
    model = Membership
    autocomplete_fields = ["user"]


class TeamsOfPersonInline(TabularInline):
    model = Membership
    verbose_name_plural = "teams"


@register(User)
class UserAdmin(KeepsAnAdmin, SecondFactorPage, ModelAdmin, DjangoUserAdmin):  # type: ignore[misc,type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "roles_label", "teams_label", "doors_label", "is_active", "last_login"]
    list_filter = ["is_active", "is_superuser", "role_grants__role"]
    search_fields = ["username", "email"]
    filter_horizontal = ()
    fieldsets = [
        (None, {"fields": ["username", "email", "password"]}),
        ("Name", {"fields": ["first_name", "last_name"]}),
        ("Access", {"fields": ["is_active", "is_superuser"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "email", "usable_password", "password1", "password2"]})]
    readonly_fields = ["last_login", "date_joined"]
    inlines = [RoleGrantInline, TeamsOfPersonInline, IdentityInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.prefetch_related("role_grants", "memberships__team", "socialaccount_set", "authenticator_set")

    @display(description="roles")
    def roles_label(self, person: User) -> str:
        roles = [grant.get_role_display() for grant in person.role_grants.all()]
        return ", ".join([*(["superuser"] if person.is_superuser else []), *roles])

    @display(description="teams")
    def teams_label(self, person: User) -> str:
        return ", ".join(membership.team.name for membership in person.memberships.all())

    @display(description="comes in by")
    def doors_label(self, person: Any) -> str:
        configured = providers()
        titles = [
            configured[row.provider].title for row in person.socialaccount_set.all() if row.provider in configured
        ]
        password = ["password"] if person.has_usable_password() else []
        has_code = any(row.type == "totp" for row in person.authenticator_set.all())
        return ", ".join([*password, *titles]) + (" and a second factor" if has_code else "")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change or "email" in form.changed_data:
            vouch_for_address(obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        with transaction.atomic():
            answer = super().user_change_password(request, id, form_url)
            if request.method == "POST" and answer.status_code == HTTPStatus.FOUND:
                self.report(request, User.objects.get(pk=id), "password_changed", {})
        return answer


@register(Team)
class TeamAdmin(ModelAdmin):
    list_display = ["name", "title", "contact", "external_group", "external_maintainer_group"]
    search_fields = ["name", "title"]
    inlines = [MembershipInline]
