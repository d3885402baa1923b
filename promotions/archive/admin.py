"""Archive entries and their intakes in the admin."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from portal.admin_site import ModelAdmin, action, display, register
from portal.http.problem import Problem
from portal.jobs.admin import JobAdmin
from promotions.archive.entries import add_entry, let_go, start_intake
from promotions.archive.models import UPSTREAMS, ArchiveEntry, IntakeJob
from registries.topology.models import Registry, ZoneKind

COLOURS = {"waiting": "info", "importing": "warning", "present": "success", "failed": "danger"}
# What an entry means must not change under its feet; another meaning is another entry.
FIXED = ["upstream", "upstream_repository", "upstream_tag", "digest", "archive", "repository", "tag"]
PROGRESS = ["state_label", "reason_text", "progress_label", "pinned_at", "imported_at", "created_at"]


@register(ArchiveEntry)
class ArchiveEntryAdmin(ModelAdmin):
    change_roles = ("platform_admin", "release_manager")
    list_display = [
        "__str__",
        "upstream",
        "place_label",
        "digest_label",
        "owner",
        "state_label",
        "review_on",
        "imported_at",
    ]
    list_filter = ["state", "archive", "upstream", "owner"]
    list_select_related = ["upstream", "archive", "owner", "copy_job"]
    search_fields = ["upstream_repository", "upstream_tag", "repository", "tag", "digest", "reason"]
    actions = ["import_now"]
    fieldsets = [
        ("Upstream", {"fields": ["upstream", "upstream_repository", "upstream_tag", "digest"]}),
        ("In the archive", {"fields": ["archive", "repository", "tag"]}),
        ("Why we keep it", {"fields": ["owner", "reason", "review_on"]}),
    ]
    shown_later = ("How far it is", {"fields": PROGRESS})

    def get_fieldsets(self, request: HttpRequest, obj: ArchiveEntry | None = None) -> Any:
        return [self.shown_later, *self.fieldsets] if obj else self.fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: ArchiveEntry | None = None) -> list[str]:
        return [*FIXED, *PROGRESS] if obj else []

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "upstream":
            kwargs["queryset"] = Registry.objects.filter(zone__kind__in=UPSTREAMS)
        if db_field.name == "archive":
            kwargs["queryset"] = Registry.objects.filter(zone__kind=ZoneKind.ARCHIVE, primary=None)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ArchiveEntry, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        user: Any = request.user
        add_entry(user.actor, obj)
        messages.info(request, f"The import of {obj} has begun; this page shows how far it is.")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Its intakes go with it, though nobody deletes an intake by itself."""
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return found, counts, set(lacking) - {IntakeJob._meta.verbose_name}, protected

    def delete_model(self, request: HttpRequest, obj: ArchiveEntry) -> None:
        with transaction.atomic():
            let_go(obj)
            super().delete_model(request, obj)
        messages.info(request, f"What was imported for {obj} stays in {obj.archive}; a cleanup plan may take it now.")

    @display(description="in the archive")
    def place_label(self, entry: ArchiveEntry) -> str:
        return f"{entry.archive}/{entry.repository}:{entry.tag}"

    @display(description="digest", ordering="digest")
    def digest_label(self, entry: ArchiveEntry) -> str:
        return entry.digest.short if entry.digest else "not pinned yet"

    @display(description="state", label=COLOURS, ordering="state")
    def state_label(self, entry: ArchiveEntry) -> str:
        return str(entry.state)

    @display(description="copy")
    def progress_label(self, entry: ArchiveEntry) -> str:
        copy = entry.copy_job
        if copy is None:
            return "not begun"
        percent = f"{copy.progress_percent} %, " if copy.progress_percent is not None else ""
        return f"{copy.get_state_display()}: {percent}{copy.verified_digests} digests read back. {copy.reason_text}".strip()

    @action(description="Import now", permissions=["change"])
    def import_now(self, request: HttpRequest, queryset: QuerySet[ArchiveEntry]) -> None:
        user: Any = request.user
        for entry in queryset:
            try:
                start_intake(user.actor, entry)
            except Problem as refusal:
                messages.warning(request, refusal.detail)
            else:
                messages.info(request, f"The import of {entry} has begun.")


@register(IntakeJob)
class IntakeJobAdmin(JobAdmin):
    job_columns = ["entry"]
    list_select_related = ["entry"]
