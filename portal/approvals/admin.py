"""Approval rules and decisions in the admin."""

from django.db.models import QuerySet
from django.http import HttpRequest

from portal.admin_site import ModelAdmin, ReadOnlyAdmin, display, register
from portal.approvals.models import ApprovalRule, Decision, Delegation


@register(ApprovalRule)
class ApprovalRuleAdmin(ModelAdmin):
    list_display = ["name", "policy_label", "policy_key", "required", "whom", "is_active"]
    list_filter = ["policy_label", "is_active", "role"]
    list_select_related = ["team"]
    search_fields = ["name", "policy_key"]
    autocomplete_fields = ["people", "team"]
    fieldsets = [
        (None, {"fields": ["name", "is_active"]}),
        ("Who must agree", {"fields": ["required", "role", "team", "people"]}),
        ("To what", {"fields": ["policy_label", "policy_key", "repository_globs"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApprovalRule]:
        rows: QuerySet[ApprovalRule] = super().get_queryset(request)
        return rows.prefetch_related("people")

    @display(description="whom")
    def whom(self, rule: ApprovalRule) -> str:
        """Everybody of all of these may fill a slot."""
        names = [rule.get_role_display()] if rule.role else []
        names += [f"team {rule.team}"] if rule.team else []
        return ", ".join([*names, *(str(person) for person in rule.people.all())]) or "nobody"


@register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ["decided_at", "user", "verdict", "subject_label", "subject_key", "comment"]
    list_filter = ["verdict", "subject_label"]
    list_select_related = ["user"]
    search_fields = ["user__username", "subject_key", "comment"]


@register(Delegation)
class DelegationAdmin(ModelAdmin):
    list_display = ["principal", "delegate", "starts_at", "ends_at", "reason"]
    list_select_related = ["principal", "delegate"]
    search_fields = ["principal__username", "delegate__username"]
    autocomplete_fields = ["principal", "delegate"]
