"""Syncs and how well each registry is known; holds; what was announced and what is being deleted."""

# As for every admin module: the theme has no types.
# mypy: allow-untyped-decorators, allow-subclassing-any

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import EmptyFieldListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest

from portal.admin_site import ModelAdmin, ReadOnlyAdmin, action, display, has_role, register
from portal.http.problem import Problem
from portal.jobs.admin import JobAdmin
from registries.catalog.holds import place_legal_hold, release_hold
from registries.catalog.models import DigestGuard, Hold, RegistrySyncState, SyncJob, SyncState, TagIntent
from registries.catalog.sync import accept_disappearance, request_sync
from registries.oci.digest import Digest


class EmptyFilter(EmptyFieldListFilter):
    """There or gone, by whether a time of leaving is known."""


def state_text(state: SyncState | None) -> str:
    """How well one repository is known, in words."""
    if state is None:
        return "never"
    if state.failed_at is not None:
        return f"failed: {state.failure_text}"
    read = f"{state.read_at:%Y-%m-%d %H:%M}" if state.read_at else "never"
    return f"{read}, with oddities: {state.failure_text}" if state.failure_text else read


@register(SyncJob)
class SyncJobAdmin(JobAdmin):
    job_columns = ["registry", "repository_name", "repositories_read", "repositories_failed", "changes_label"]
    list_filter = ["state", "registry", "reason_code"]
    list_select_related = ["registry"]
    fieldsets = [
        (None, {"fields": ["registry", "repository_name", "state", "reason_code", "reason_text"]}),
        ("What it found", {"fields": ["repositories_read", "repositories_failed", "tags_created", "tags_moved"]}),
        ("", {"fields": ["tags_removed", "requests_sent"]}),
        (
            "Run",
            {"fields": ["actor_name", "cause_name", "attempt", "worker", "created_at", "started_at", "finished_at"]},
        ),
    ]

    @display(description="new / moved / gone")
    def changes_label(self, job: SyncJob) -> str:
        return f"{job.tags_created} / {job.tags_moved} / {job.tags_removed}"


@register(RegistrySyncState)
class RegistrySyncStateAdmin(ReadOnlyAdmin):
    list_display = ["registry", "listed_at", "next_sync_at", "failed_at", "failure_text", "braked_at"]
    list_select_related = ["registry"]
    list_filter = [("braked_at", EmptyFilter), ("failed_at", EmptyFilter)]
    actions = ["sync_selected", "accept_selected"]
    fieldsets = [
        (None, {"fields": ["registry", "listed_at", "next_sync_at"]}),
        ("What went wrong", {"fields": ["failed_at", "failure_text"]}),
        ("Brake", {"fields": ["braked_at", "brake_text"]}),
    ]

    def has_sync_permission(self, request: HttpRequest) -> bool:
        return has_role(request, "platform_admin", "release_manager", "security")

    def has_accept_permission(self, request: HttpRequest) -> bool:
        return has_role(request, "platform_admin")

    @action(description="Sync now", permissions=["sync"])
    def sync_selected(self, request: HttpRequest, queryset: QuerySet[RegistrySyncState]) -> None:
        user: Any = request.user
        jobs = [request_sync(user.actor, state.registry) for state in queryset.select_related("registry")]
        messages.info(request, f"Ordered {len(jobs)} syncs.")

    @action(description="It was reset on purpose: accept what disappeared", permissions=["accept"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet[RegistrySyncState]) -> None:
        user: Any = request.user
        for state in queryset.select_related("registry"):
            removed = accept_disappearance(user.actor, state.registry)
            messages.info(request, f"{state.registry}: {removed} tags were taken out of the catalog.")


@register(SyncState)
class SyncStateAdmin(ReadOnlyAdmin):
    list_display = ["repository", "read_at", "failed_at", "failure_code", "failure_text"]
    list_filter = [("failed_at", EmptyFilter), "failure_code", "repository__registry"]
    list_select_related = ["repository__registry"]
    search_fields = ["repository__name"]


class HoldForm(forms.ModelForm[Hold]):
    """A legal hold by hand: a digest and why."""

    class Meta:
        model = Hold
        fields = ["digest", "reason", "expires_at"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("reason"):
            self.add_error("reason", "Say why it must stay, and who to ask.")
        return cleaned


@register(Hold)
class HoldAdmin(ModelAdmin):
    form = HoldForm
    list_display = ["digest_label", "kind", "reason", "source_label", "source_key", "created_at", "expires_at"]
    list_filter = ["kind", "created_at"]
    search_fields = ["digest__startswith", "reason"]
    change_roles = ("platform_admin", "security")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Holds of other kinds are let go by what placed them."""
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or obj.kind == Hold.Kind.LEGAL)

    @display(description="digest", ordering="digest")
    def digest_label(self, hold: Hold) -> str:
        return f"{hold.digest.algorithm}:{hold.digest.short}"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        user: Any = request.user
        try:
            placed = place_legal_hold(user.actor, user, Digest.parse(obj.digest), obj.reason, obj.expires_at)
        except Problem as problem:
            raise PermissionDenied(problem.detail) from problem
        obj.pk = placed.pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        user: Any = request.user
        if obj.kind == Hold.Kind.LEGAL:
            release_hold(user.actor, obj)
        else:
            messages.error(request, f"{obj} is let go by what placed it, not by hand.")


@register(TagIntent)
class TagIntentAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "registry", "repository", "tag", "cause_name", "fulfilled_at"]
    list_filter = ["registry", ("fulfilled_at", EmptyFilter)]
    list_select_related = ["registry"]
    search_fields = ["repository", "tag", "cause_name"]
    ordering = ["-id"]


@register(DigestGuard)
class DigestGuardAdmin(ReadOnlyAdmin):
    list_display = ["digest", "deletion_claimed_at", "deletion_label", "deletion_key"]
    list_filter = [("deletion_claimed_at", EmptyFilter)]
    search_fields = ["digest__startswith"]
