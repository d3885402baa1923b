"""Policies, plans to be looked at and executed, and what came of each tag."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from portal.admin_site import ModelAdmin, ReadOnlyAdmin, action, display, register
from portal.http.problem import Problem
from portal.jobs.admin import JobAdmin
from portal.users.models import User
from registries.oci.sizes import spell
from registries.retention.forms import PlanForm, PolicyForm
from registries.retention.models import CleanupJob, Plan, PlanItem, RetentionPolicy
from registries.retention.operations import (
    execute_plan,
    may_execute,
    request_plan,
    restore_tag,
    stop_plan,
    why_not_executable,
)
from registries.retention.queries import items_shown, job_of, outcome_counts, repositories_of

STATE_COLOURS = {
    "planning": "info",
    "ready to be looked at": "warning",
    "refused": "danger",
    "executing": "warning",
    "done": "success",
    "stopped": "danger",
}
OUTCOME_COLOURS = {"deleted": "success", "failed": "danger", "skipped": "warning", "kept": "info"}
MOST_RESTORED = 200


@register(RetentionPolicy)
class RetentionPolicyAdmin(ModelAdmin):
    form = PolicyForm
    list_display = [
        "name",
        "position",
        "scope_label",
        "tag_glob",
        "age_label",
        "keep_newest",
        "is_enabled",
        "is_automatic",
    ]
    list_filter = ["is_enabled", "is_automatic", "zone", "registry"]
    list_select_related = ["zone", "registry"]
    search_fields = ["name"]
    autocomplete_fields = ["zone", "registry"]
    fieldsets = [
        (None, {"fields": ["name", "is_enabled", "position"]}),
        ("What it speaks of", {"fields": ["zone", "registry", "repository_glob", "tag_glob"]}),
        ("What may go", {"fields": ["older_than", "keep_newest", "max_share_percent"]}),
        ("What always stays", {"fields": ["protect_tag_glob"]}),
        ("By the clock", {"fields": ["is_automatic"]}),
    ]

    @display(description="speaks of")
    def scope_label(self, policy: RetentionPolicy) -> str:
        where = policy.registry or policy.zone or "all registries"
        return f"{where}: {policy.repository_glob}"

    @display(description="may go after", ordering="older_than_seconds")
    def age_label(self, policy: RetentionPolicy) -> str:
        return PolicyForm.age_text(policy.older_than_seconds)


@register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    """Made here by choosing a registry; executed by a button on its page."""

    form = PlanForm
    can_add = True
    change_roles = ("platform_admin", "release_manager", "security")
    list_display = [
        "id",
        "registry",
        "state_label",
        "delete_count",
        "keep_count",
        "freed_label",
        "is_preview",
        "created_by",
        "created_at",
    ]
    list_filter = ["state", "registry", "is_preview", "is_automatic"]
    list_select_related = ["registry"]
    ordering = ["-id"]
    change_form_outer_before_template = "admin/retention/plan.html"
    add_fieldsets = [(None, {"fields": ["registry"]})]
    fieldsets = [
        ("By what", {"fields": ["registry", "policy_text", "listing_read_at"]}),
        ("Who and when", {"fields": ["created_by", "created_at", "executed_by", "finished_at"]}),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/execute/", view(self.execute_view), name="retention_plan_execute"),
            path("<int:pk>/stop/", view(self.stop_view), name="retention_plan_stop"),
        ]
        return [*own, *super().get_urls()]

    @display(description="state", label=STATE_COLOURS, ordering="state")
    def state_label(self, plan: Plan) -> str:
        return plan.get_state_display().lower()

    @display(description="comes free", ordering="freed_bytes")
    def freed_label(self, plan: Plan) -> str:
        return spell(plan.freed_bytes)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        user: Any = request.user
        obj.pk = request_plan(user.actor, obj.registry).pk
        obj.refresh_from_db()

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        messages.info(request, "The plan is being made. Nothing is removed by it.")
        return redirect("admin:retention_plan_change", obj.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        plan = Plan.objects.filter(pk=object_id).select_related("registry").first() if object_id.isdigit() else None
        own = plan_context(plan, request.user) if plan and self.has_view_permission(request) else {}
        response: HttpResponse = super().change_view(request, object_id, form_url, {**(extra_context or {}), **own})
        return response

    @method_decorator(require_POST)
    def execute_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: execute the plan; what the rules refuse is said on its page."""
        plan, user = get_object_or_404(Plan, pk=pk), _user(request)
        try:
            execute_plan(user.actor, user, plan)
            messages.success(request, f"{plan.delete_count} tags are being looked at again and removed, one by one.")
        except Problem as problem:
            messages.error(request, problem.detail)
        return redirect("admin:retention_plan_change", pk)

    @method_decorator(require_POST)
    def stop_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: stop before the next tag."""
        plan, user = get_object_or_404(Plan, pk=pk), _user(request)
        if not may_execute(user, plan.registry):
            messages.error(request, "Only those who may execute the plan may stop it.")
        elif stop_plan(user.actor, plan):
            messages.success(request, "It stops before the next tag.")
        else:
            messages.info(request, "There is nothing to stop.")
        return redirect("admin:retention_plan_change", pk)


def plan_context(plan: Plan, user: Any) -> dict[str, Any]:
    """What the plan's page shows above its fields."""
    obstacle = why_not_executable(plan)
    if not obstacle and not may_execute(user, plan.registry):
        obstacle = f"Platform admins and maintainers of the team that owns {plan.registry} execute it."
    return {
        "plan": plan,
        "obstacle": obstacle,
        "job": job_of(plan),
        "items": items_shown(plan),
        "counts": outcome_counts(plan),
        "repositories": repositories_of(plan),
        "items_url": f"{reverse('admin:retention_planitem_changelist')}?plan__id__exact={plan.pk}",
        "execute_url": reverse("admin:retention_plan_execute", args=[plan.pk]),
        "stop_url": reverse("admin:retention_plan_stop", args=[plan.pk]),
    }


def _user(request: HttpRequest) -> User:
    user: Any = request.user
    person: User = user
    return person


@register(PlanItem)
class PlanItemAdmin(ReadOnlyAdmin):
    list_display = ["repository", "tag", "decision", "rule", "reason", "freed_label", "outcome_label", "outcome_text"]
    list_filter = ["decision", "outcome", "rule", "plan__registry"]
    search_fields = ["repository", "tag"]
    list_select_related = ["plan__registry"]
    ordering = ["-plan", "decision", "repository", "tag"]
    actions = ["restore_selected"]

    def has_restore_permission(self, request: HttpRequest) -> bool:
        return _user(request).is_platform_admin

    @display(description="comes free", ordering="freed_bytes")
    def freed_label(self, item: PlanItem) -> str:
        return spell(item.freed_bytes) if item.freed_bytes else ""

    @display(description="outcome", label=OUTCOME_COLOURS, ordering="outcome")
    def outcome_label(self, item: PlanItem) -> str:
        return str(item.outcome)

    @action(description="Put the tag back", permissions=["restore"])
    def restore_selected(self, request: HttpRequest, queryset: QuerySet[PlanItem]) -> None:
        ordered = 0
        for item in queryset.select_related("plan__registry")[:MOST_RESTORED]:
            try:
                restore_tag(_user(request).actor, item)
                ordered += 1
            except Problem as problem:
                messages.error(request, problem.detail)
        if ordered:
            messages.info(request, f"{ordered} tags are being put back; see the cleanup jobs.")


@register(CleanupJob)
class CleanupJobAdmin(JobAdmin):
    job_columns = ["step", "registry_label"]
    # Trying again goes on deleting, which is for those who execute plans.
    act_roles = ["platform_admin"]
    list_filter = ["state", "step", "reason_code"]
    list_select_related = ["plan__registry", "item"]

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Trying an execution again goes on deleting."""
        return _user(request).is_platform_admin

    @display(description="registry")
    def registry_label(self, job: CleanupJob) -> str:
        return job.plan.registry.name
