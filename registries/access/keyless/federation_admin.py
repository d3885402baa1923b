"""Issuers, rules and what came of them in the admin."""

from typing import Any

from django.http import HttpRequest

from portal.admin_site import ModelAdmin, ReadOnlyAdmin, register
from registries.access.keyless.federation_models import AttemptCount, Exchange, FederationRule, Issuer, UsedToken
from registries.access.roles_admin import SwitchedOffBySecurity, revoke_made_from

HINTS = (
    "All conditions must hold; a missing claim never does. GitHub: repository_id or repository_owner_id (numbers that never go to "
    "somebody else, from api.github.com/repos/OWNER/NAME), with ref, environment or job_workflow_ref; never sub. GitLab: "
    'project_id, with ref_protected ["true"] for whatever may push, and ref or environment.'
)


class RevokingAdmin(SwitchedOffBySecurity, ModelAdmin):
    """What is switched off or changed is off at once: credentials that were made from it end with it."""

    actions = ["switch_off"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and form.changed_data:
            revoke_made_from(request, self.link, [obj])


@register(Issuer)
class IssuerAdmin(RevokingAdmin):
    link = "exchange__rule__issuer"
    list_display = ["name", "kind", "url", "is_enabled", "jwks_fetched_at", "jwks_error"]
    list_filter = ["kind", "is_enabled"]
    search_fields = ["name", "url"]
    readonly_fields = ["keys_known", "jwks_fetched_at", "jwks_tried_at", "jwks_error"]
    fieldsets = [
        (None, {"fields": ["name", "kind", "url", "is_enabled"]}),
        ("What its tokens are checked with", {"fields": ["algorithms", "jwks_url"]}),
        ("Its keys", {"fields": ["keys_known", "jwks_fetched_at", "jwks_tried_at", "jwks_error"]}),
    ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Keys of one address say nothing about another."""
        if {"url", "jwks_url"} & set(form.changed_data):
            obj.jwks, obj.jwks_fetched_at, obj.jwks_tried_at = {}, None, None
        super().save_model(request, obj, form, change)

    def keys_known(self, issuer: Issuer) -> str:
        return (
            ", ".join(key["kid"] for key in issuer.jwks.get("keys", []))
            or "none yet; they are read with the first token"
        )


@register(FederationRule)
class FederationRuleAdmin(RevokingAdmin):
    link = "exchange__rule"
    list_display = ["name", "issuer", "robot", "pattern", "good_for", "person_claim", "is_enabled"]
    list_filter = ["issuer", "is_enabled", "robot"]
    list_select_related = ["issuer", "robot"]
    search_fields = ["name", "robot__name", "pattern"]
    autocomplete_fields = ["robot"]
    fieldsets = [
        (None, {"fields": ["name", "issuer", "is_enabled"]}),
        ("Which jobs", {"fields": ["conditions", "person_claim"], "description": HINTS}),
        ("What they may", {"fields": ["robot", "pattern", "may_pull", "may_push"]}),
    ]

    def good_for(self, rule: FederationRule) -> str:
        return ", ".join(rule.actions)


@register(Exchange)
class ExchangeAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "rule", "on_behalf_of", "person", "secret"]
    list_filter = ["rule", "created_at"]
    list_select_related = ["rule", "on_behalf_of", "secret__robot"]
    search_fields = ["person", "rule__name", "on_behalf_of__username"]
    fields = ["created_at", "rule", "secret", "on_behalf_of", "person", "claims"]


@register(UsedToken)
class UsedTokenAdmin(ReadOnlyAdmin):
    list_display = ["jti_hash", "issuer", "expires_at"]
    list_filter = ["issuer"]
    list_select_related = ["issuer"]
    search_fields = ["jti_hash"]


@register(AttemptCount)
class AttemptCountAdmin(ReadOnlyAdmin):
    list_display = ["minute", "key", "count"]
    list_filter = ["minute"]
    search_fields = ["key"]
