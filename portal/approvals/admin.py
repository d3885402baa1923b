"""Approval rules and decisions in the admin."""

from portal.admin_site import ModelAdmin, ReadOnlyAdmin, register
from portal.approvals.models import ApprovalRule, Decision, Delegation


@register(ApprovalRule)
class ApprovalRuleAdmin(ModelAdmin):
    list_display = ["name", "policy_label", "policy_key", "required", "role", "team", "is_active"]
    list_filter = ["policy_label", "is_active"]
    autocomplete_fields = ["people"]


@register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ["decided_at", "user", "verdict", "subject_label", "subject_key", "comment"]
    list_filter = ["verdict", "subject_label"]


@register(Delegation)
class DelegationAdmin(ModelAdmin):
    list_display = ["principal", "delegate", "starts_at", "ends_at", "reason"]
