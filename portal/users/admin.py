"""People and teams in the admin."""

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest

from portal.admin_site import (
    AdminPasswordChangeForm,
    ModelAdmin,
    TabularInline,
    UserChangeForm,
    UserCreationForm,
    register,
)
from portal.users.models import Membership, RoleGrant, Team, User


class RoleGrantInline(TabularInline):
    model = RoleGrant


class MembershipInline(TabularInline):
    model = Membership
    autocomplete_fields = ["user"]


class TeamsOfPersonInline(TabularInline):
    model = Membership
    verbose_name_plural = "teams"


@register(User)
class UserAdmin(ModelAdmin, DjangoUserAdmin):  # type: ignore[misc,type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "is_active", "is_superuser", "last_login"]
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
    inlines = [RoleGrantInline, TeamsOfPersonInline]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        # An admin who enters an address vouches for it.
        EmailAddress.objects.update_or_create(user=obj, primary=True, defaults={"email": obj.email, "verified": True})


@register(Team)
class TeamAdmin(ModelAdmin):
    list_display = ["name", "title", "contact", "external_group"]
    search_fields = ["name", "title"]
    inlines = [MembershipInline]
