"""Paths with their gates and rules, requests with their review page, and what they leave behind."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from portal.admin_site import ModelAdmin, ReadOnlyAdmin, TabularInline, display, has_role, register
from portal.approvals.models import ApprovalRule
from portal.jobs.admin import JobAdmin
from portal.users.models import User
from promotions.workflow.models import (
    Execution,
    GateConfig,
    GateResult,
    PolicySnapshot,
    PromotionItem,
    PromotionPath,
    PromotionRequest,
    RequestState,
    TagLock,
)
from promotions.workflow.queries import PATH, requests, waiting_for
from promotions.workflow.review_page import review_page
from promotions.workflow.states import OPEN, UNDECIDED

STATE_COLOURS = {
    RequestState.EVALUATING.label: "info",
    RequestState.BLOCKED.label: "warning",
    RequestState.AWAITING_APPROVAL.label: "warning",
    RequestState.READY.label: "info",
    RequestState.EXECUTING.label: "info",
    RequestState.PROMOTED.label: "success",
    RequestState.COMPLETED.label: "success",
    RequestState.REJECTED.label: "danger",
    RequestState.FAILED.label: "danger",
}


class GateInline(TabularInline):
    model = GateConfig
    fields = ["gate", "enforcement", "parameters", "position", "remediation"]


@register(PromotionPath)
class PromotionPathAdmin(ModelAdmin):
    list_display = ["name", "source", "target", "repository_glob", "tag_policy", "is_enabled"]
    list_filter = ["is_enabled", "tag_policy", "source", "target"]
    list_select_related = ["source", "target"]
    search_fields = ["name"]
    autocomplete_fields = ["source", "target"]
    readonly_fields = ["approval_rules"]
    inlines = [GateInline]
    fieldsets = [
        (None, {"fields": ["name", "source", "target", "is_enabled"]}),
        ("What may move", {"fields": ["repository_glob", "tag_policy", "request_ttl_seconds"]}),
        ("Who must agree", {"fields": ["approval_rules"]}),
    ]

    @display(description="approval rules")
    def approval_rules(self, promotion_path: PromotionPath) -> SafeString:
        """Rules belong to policies of every kind, so they have pages of their own."""
        if promotion_path._state.adding:
            return format_html("<p>{}</p>", "Save the path first; rules are added to it then.")
        rules = ApprovalRule.objects.filter(policy_label=PATH, policy_key=str(promotion_path.pk)).select_related("team")
        rows = [
            (reverse("admin:approvals_approvalrule_change", args=[rule.pk]), rule.name, rule_text(rule))
            for rule in rules
        ]
        known = {"policy_label": PATH, "policy_key": str(promotion_path.pk)}
        add = f"{reverse('admin:approvals_approvalrule_add')}?{urlencode(known)}"
        listed = format_html_join("", '<p><a class="text-primary-600" href="{}">{}</a>: {}</p>', rows)
        empty = format_html("<p>{}</p>", "Nobody is asked. A path into prod needs at least one rule.")
        return format_html('{}<p><a class="text-primary-600" href="{}">Add a rule</a></p>', listed or empty, add)


def rule_text(rule: ApprovalRule) -> str:
    """Whom a rule asks, in words."""
    whom = [rule.get_role_display()] if rule.role else []
    whom += [f"team {rule.team}"] if rule.team else []
    whom += [str(person) for person in rule.people.all()]
    off = "" if rule.is_active else " (switched off)"
    return f"{rule.required} of {', '.join(whom) or 'nobody'}{off}"


class InboxFilter(admin.SimpleListFilter):
    """What of all this is mine to do?"""

    title = "inbox"
    parameter_name = "inbox"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("waiting", "Waiting for me"),
            ("mine", "Asked in my name"),
            ("undecided", "Undecided"),
            ("open", "On its way"),
            ("done", "Done"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PromotionRequest]) -> QuerySet[PromotionRequest]:
        user = request.user
        if not isinstance(user, User):
            return queryset.none()
        match self.value():
            case "waiting":
                return queryset.filter(pk__in=waiting_for(user).values("pk"))
            case "mine":
                return queryset.filter(on_behalf_of=user)
            case "undecided":
                return queryset.filter(state__in=UNDECIDED)
            case "open":
                return queryset.filter(state__in=OPEN)
            case "done":
                return queryset.exclude(state__in=OPEN)
        return queryset


@register(PromotionRequest)
class PromotionRequestAdmin(ReadOnlyAdmin):
    list_display = ["image", "digest", "path", "state_label", "waits", "on_behalf_of", "created_at", "expires_at"]
    list_display_links = None
    list_filter = [InboxFilter, "state", "path", "is_degraded"]
    list_select_related = ["path", "on_behalf_of"]
    search_fields = ["public_id", "items__target_repository", "items__digest", "on_behalf_of__username"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PromotionRequest]:
        return requests()

    def get_urls(self) -> list[URLPattern]:
        """Approvers need no role: a rule may name a person or a team. So this one page is open to whoever may see the request."""
        view = login_required(never_cache(require_http_methods(["GET", "HEAD", "POST"])(self.review)))
        return [path("<int:pk>/review/", view, name="promotions_promotionrequest_review"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The review page shows all there is."""
        return redirect("admin:promotions_promotionrequest_review", pk=object_id)

    def review(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The one screen on which a promotion is decided."""
        promotion = get_object_or_404(requests().select_related("policy"), pk=pk)
        if not has_role(request):
            return review_page(request, promotion, template="promotions/review.html")
        extra = {
            **self.admin_site.each_context(request),
            "title": f"Promotion {promotion.public_id}",
            "opts": self.opts,
            "original": promotion,
            "portal_url": self.get_view_on_site_url(promotion),
        }
        return review_page(request, promotion, template="admin/promotions/review.html", extra=extra)

    @display(description="image")
    def image(self, promotion: PromotionRequest) -> SafeString:
        item = promotion.items.all()[0]
        url = reverse("admin:promotions_promotionrequest_review", args=[promotion.pk])
        text = f"{item.target_repository}:{item.target_tags[0]}"
        return format_html('<a class="font-semibold text-primary-600" href="{}">{}</a>', url, text)

    @display(description="digest")
    def digest(self, promotion: PromotionRequest) -> SafeString:
        digest = promotion.items.all()[0].digest
        return format_html('<code title="{}">{}</code>', digest, digest.short)

    @display(description="state", label=STATE_COLOURS, ordering="state")
    def state_label(self, promotion: PromotionRequest) -> str:
        return RequestState(promotion.state).label

    @display(description="waits for")
    def waits(self, promotion: PromotionRequest) -> str:
        return promotion.reason_text


@register(PromotionItem)
class PromotionItemAdmin(ReadOnlyAdmin):
    list_display = ["request", "source_repository", "digest", "target_repository", "size_bytes"]
    list_select_related = ["request"]
    search_fields = ["digest", "source_repository", "target_repository"]


@register(GateResult)
class GateResultAdmin(ReadOnlyAdmin):
    list_display = ["evaluated_at", "request", "gate", "status", "enforcement", "phase", "summary"]
    list_filter = ["status", "gate", "phase"]
    list_select_related = ["request"]
    search_fields = ["request__public_id", "summary"]


@register(PolicySnapshot)
class PolicySnapshotAdmin(ReadOnlyAdmin):
    list_display = ["hash", "created_at"]
    search_fields = ["hash"]


@register(TagLock)
class TagLockAdmin(ReadOnlyAdmin):
    list_display = ["registry", "repository", "tag", "request"]
    list_select_related = ["registry", "request"]
    search_fields = ["repository", "tag"]


@register(Execution)
class ExecutionAdmin(JobAdmin):
    job_columns = ["request", "copy_job"]
    list_select_related = ["request", "copy_job__source", "copy_job__target"]
