"""Robots, rules, keys and credentials in the admin; what else access has stands in modules beside this one."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.admin_site import ModelAdmin, ReadOnlyAdmin, ReadOnlyInline, action, display, has_role, register
from registries.access import restriction_admin  # noqa: F401  Django finds admin pages from here
from registries.access.adopt import admin as adopt_admin  # noqa: F401
from registries.access.asking import request_admin  # noqa: F401
from registries.access.counts import record_admin  # noqa: F401
from registries.access.credential.credentials import revoke_secret
from registries.access.credential.narrowing import narrowing_of, say_narrowing
from registries.access.credential.secret_page import replace_page, secret_page
from registries.access.credential.secret_state import state_of
from registries.access.drafting import trial_admin
from registries.access.farewell import leaving_admin  # noqa: F401
from registries.access.keyless import federation_admin  # noqa: F401
from registries.access.models import (
    AccessRule,
    PersonalToken,
    RobotAccount,
    Secret,
    StoredSecret,
)
from registries.access.naming_rules import namespace_admin, naming_admin  # noqa: F401
from registries.access.robots import check_may_keep
from registries.access.roles_admin import DenialsOfSecurity, refuse_by_problem
from registries.access.signing import key_admin  # noqa: F401

STATE_COLOURS = {"works": "success", "ends soon": "warning", "ended": "info", "revoked": "danger"}
SECRET_FIELDS = ["name", "handle", "state_label", "created_at", "expires_at", "revoked_at", "last_used_at"]
NARROWING = ["pattern", "actions", "registries", "networks"]


class SecretColumns:
    """What lists and inlines show of a secret."""

    @display(description="state", label=STATE_COLOURS)
    def state_label(self, stored: StoredSecret) -> str:
        return state_of(stored, timezone.now())

    @display(description="good for")
    def narrowing_label(self, stored: StoredSecret) -> str:
        return say_narrowing(narrowing_of(stored)) or "all that its owner may"


class SecretInline(SecretColumns, ReadOnlyInline):
    model = Secret
    fields = ["name", "handle", "state_label", "narrowing_label", "expires_at", "last_used_at", "shown_to", "replace"]
    readonly_fields = fields
    verbose_name_plural = "secrets; each was shown once, when it was issued"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(is_keyless=False).select_related("shown_to")

    @display(description="exchange")
    def replace(self, secret: Secret) -> SafeString | str:
        return replace_link(secret)


def replace_link(secret: Secret) -> SafeString | str:
    """To the page that puts another in its place, while it works."""
    if secret.is_keyless or not secret.is_live(timezone.now()):
        return "–"
    address = reverse("admin:access_secret_replace", args=[secret.pk])
    return format_html('<a class="text-primary-600" href="{}">Replace</a>', address)


@register(RobotAccount)
class RobotAccountAdmin(ModelAdmin):
    """Who a robot is stays as it was made: rules, tokens and history speak of its name and kind."""

    list_display = ["login_label", "kind", "team", "live_label", "is_active", "expires_at"]
    list_filter = ["kind", "is_active", "team"]
    list_select_related = ["team"]
    search_fields = ["name", "description", "team__name"]
    autocomplete_fields = ["team"]
    inlines = [SecretInline]
    fieldsets = [
        (None, {"fields": ["name", "kind", "team", "description"]}),
        ("Life", {"fields": ["is_active", "expires_at"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        live = Q(secrets__revoked_at=None) & (Q(secrets__expires_at=None) | Q(secrets__expires_at__gt=timezone.now()))
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(live_secrets=Count("secrets", filter=live))
        return counted

    def get_fieldsets(self, request: HttpRequest, obj: RobotAccount | None = None) -> Any:
        return [*self.fieldsets, ("Secrets", {"fields": ["new_secret"]})] if obj else self.fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: RobotAccount | None = None) -> list[str]:
        return ["name", "kind", "new_secret"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: RobotAccount | None) -> list[Any]:
        return self.inlines if obj else []

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.issue_secret)
        return [path("<int:pk>/secret/", view, name="access_robotaccount_secret"), *super().get_urls()]

    def issue_secret(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Issue a secret and show it, this once."""
        return secret_page(request, pk, self.has_change_permission(request), self.admin_site.each_context(request))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Whatever was posted: the operation's own check."""
        refuse_by_problem(check_may_keep, request.user, obj.team, obj.kind)
        super().save_model(request, obj, form, change)

    @display(description="logs in as", ordering="name")
    def login_label(self, robot: RobotAccount) -> str:
        return robot.login

    @display(description="secrets that work", ordering="live_secrets")
    def live_label(self, robot: Any) -> int:
        return int(robot.live_secrets)

    @display(description="new secret")
    def new_secret(self, robot: RobotAccount) -> SafeString:
        address = reverse("admin:access_robotaccount_secret", args=[robot.pk])
        return format_html('<a class="text-primary-600" href="{}">Issue a secret</a>', address)


class StoredSecretAdmin(SecretColumns, ReadOnlyAdmin):
    """What we keep of a secret: never the secret."""

    actions = ["revoke_selected"]
    list_filter = ["expires_at", "revoked_at"]
    ordering = ["-id"]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return has_role(request, "platform_admin", "security")

    @action(description="Revoke: good no more from the next request on", permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        user: Any = request.user
        rows = list(queryset.filter(revoked_at=None))
        for stored in rows:
            revoke_secret(user.actor, stored)
        messages.success(request, f"{len(rows)} revoked. Tokens made with them end within six minutes.")


@register(PersonalToken)
class PersonalTokenAdmin(StoredSecretAdmin):
    list_display = ["user", "name", "handle", "state_label", "narrowing_label", "expires_at", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["user__username", "name", "handle"]
    fields = ["user", *SECRET_FIELDS, "replaces", *NARROWING]
    readonly_fields = fields


@register(Secret)
class SecretAdmin(StoredSecretAdmin):
    list_display = ["robot", "name", "handle", "state_label", "narrowing_label", "expires_at", "last_used_at"]
    list_select_related = ["robot"]
    search_fields = ["robot__name", "name", "handle"]
    fields = ["robot", *SECRET_FIELDS, "shown_to", "replaces", "is_keyless", *NARROWING, "exchange"]
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.replace_secret)
        return [path("<int:pk>/replace/", view, name="access_secret_replace"), *super().get_urls()]

    def replace_secret(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Put another in its place and show it, this once."""
        may_issue = has_role(request, *self.change_roles)
        return replace_page(request, pk, may_issue, self.admin_site.each_context(request))

    @display(description="exchange")
    def exchange(self, secret: Secret) -> SafeString | str:
        return replace_link(secret)


@register(AccessRule)
class AccessRuleAdmin(trial_admin.DraftActions, DenialsOfSecurity, ModelAdmin):
    actions = ["hold_selected", "discard_selected"]
    list_display = [
        "rule_label",
        "effect",
        "zone",
        "registry",
        "pattern",
        "ends_at",
        "last_used_at",
        "is_draft",
        "reason",
    ]
    list_filter = ["effect", "is_draft", "zone", "registry", "team", "is_public", "last_used_at"]
    list_select_related = ["team", "user", "robot", "zone", "registry"]
    search_fields = ["pattern", "reason", "team__name", "user__username", "robot__name"]
    autocomplete_fields = ["team", "user", "robot", "replaces"]
    fieldsets = [
        (None, {"fields": ["effect", "reason"]}),
        (
            "Who",
            {
                "fields": ["team", "user", "robot", "is_public"],
                "description": "One of them; none means everyone signed in.",
            },
        ),
        (
            "Where",
            {
                "fields": ["zone", "registry", "pattern", "networks"],
                "description": "Nothing chosen means anywhere. In the pattern * stops at a slash and ** does not.",
            },
        ),
        (
            "What",
            {
                "fields": ["may_pull", "may_push", "may_delete"],
                "description": "For a denial: what is denied. Hard rules of zones stand above every rule.",
            },
        ),
        ("When", {"fields": ["starts_at", "ends_at"]}),
        ("Draft", {"fields": ["is_draft", "replaces"]}),
    ]

    @display(description="rule")
    def rule_label(self, rule: AccessRule) -> str:
        who = rule.team or rule.user or rule.robot or ("everyone, strangers too" if rule.is_public else "everyone")
        return f"{who}: {', '.join(rule.actions)}"
