"""What every registry holds: read here, written by syncs and jobs."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.admin_site import ReadOnlyAdmin, ReadOnlyInline, action, display, has_role, register
from registries.catalog import admin_sync
from registries.catalog.models import (
    Blob,
    Manifest,
    ManifestBlob,
    ManifestEdge,
    Placement,
    Repository,
    Tag,
    TagEvent,
)
from registries.catalog.sync import request_sync
from registries.oci.sizes import spell

__all__ = ["admin_sync"]
KIND_COLOURS = {"created": "success", "moved": "warning", "removed": "danger"}
MOST_SHOWN = 100


def list_link(model: str, text: str, **filters: object) -> SafeString:
    """A link to a list of the catalog, narrowed."""
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    address = f"{reverse(f'admin:catalog_{model}_changelist')}?{query}"
    return format_html('<a class="text-primary-600" href="{}">{}</a>', address, text)


@register(Repository)
class RepositoryAdmin(ReadOnlyAdmin):
    list_display = ["name", "registry", "tag_count", "size_label", "last_moved_at", "read_label", "is_there"]
    list_filter = ["registry", "registry__zone", ("absent_since", admin_sync.EmptyFilter)]
    list_select_related = ["registry", "sync_state"]
    search_fields = ["name"]
    readonly_fields = ["size_label", "tags_link", "history_link", "read_label"]
    actions = ["sync_selected"]
    fieldsets = [
        (None, {"fields": ["registry", "name", "tags_link", "history_link", "size_label"]}),
        (
            "How well we know it",
            {"fields": ["read_label", "first_seen_at", "last_moved_at", "absent_since", "revision"]},
        ),
    ]

    def has_sync_permission(self, request: HttpRequest) -> bool:
        return has_role(request, "platform_admin", "release_manager", "security")

    @display(description="size", ordering="size_bytes")
    def size_label(self, repository: Repository) -> str:
        return spell(repository.size_bytes)

    @display(description="read")
    def read_label(self, repository: Repository) -> str:
        return admin_sync.state_text(getattr(repository, "sync_state", None))

    @display(description="there", boolean=True)
    def is_there(self, repository: Repository) -> bool:
        return repository.absent_since is None

    @display(description="tags")
    def tags_link(self, repository: Repository) -> SafeString:
        return list_link("tag", f"{repository.tag_count} tags", repository__id__exact=repository.pk)

    @display(description="history")
    def history_link(self, repository: Repository) -> SafeString:
        return list_link("tagevent", "Every move of its tags", repository__id__exact=repository.pk)

    @action(description="Sync now", permissions=["sync"])
    def sync_selected(self, request: HttpRequest, queryset: QuerySet[Repository]) -> None:
        user: Any = request.user
        for repository in queryset.select_related("registry")[:MOST_SHOWN]:
            request_sync(user.actor, repository.registry, repository.name)
        messages.info(request, "Ordered; see the sync jobs.")


@register(Tag)
class TagAdmin(ReadOnlyAdmin):
    list_display = ["name", "repository_label", "registry_label", "digest_label", "moved_at", "missing_label"]
    list_filter = ["repository__registry", "repository__registry__zone", "moved_at"]
    list_select_related = ["repository__registry", "manifest"]
    search_fields = ["name", "repository__name"]
    readonly_fields = ["digest_label", "history_link", "missing_label"]
    ordering = ["-moved_at"]
    fieldsets = [
        (None, {"fields": ["repository", "name", "digest_label", "history_link"]}),
        ("Since", {"fields": ["first_seen_at", "moved_at", "missing_label"]}),
    ]

    @display(description="repository", ordering="repository__name")
    def repository_label(self, tag: Tag) -> str:
        return tag.repository.name

    @display(description="registry", ordering="repository__registry__name")
    def registry_label(self, tag: Tag) -> str:
        return tag.repository.registry.name

    @display(description="digest")
    def digest_label(self, tag: Tag) -> SafeString:
        address = reverse("admin:catalog_manifest_change", args=[tag.manifest_id])
        shown = tag.manifest.digest.short
        return format_html(
            '<a class="text-primary-600" href="{}" title="{}">{}</a>', address, tag.manifest.digest, shown
        )

    @display(description="missing since")
    def missing_label(self, tag: Tag) -> str:
        return f"{tag.missing_reads} clean reads" if tag.missing_reads else ""

    @display(description="history")
    def history_link(self, tag: Tag) -> SafeString:
        return list_link("tagevent", "Its moves", repository__id__exact=tag.repository_id, q=tag.name)


@register(TagEvent)
class TagEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "repository", "tag", "kind_label", "old_label", "new_label", "source", "actor_name"]
    list_filter = ["kind", "source", "repository__registry", "at"]
    list_select_related = ["repository__registry"]
    search_fields = ["tag", "repository__name", "actor_name", "new_digest"]
    ordering = ["-id"]

    @display(description="what", label=KIND_COLOURS)
    def kind_label(self, event: TagEvent) -> str:
        return str(event.kind)

    @display(description="from")
    def old_label(self, event: TagEvent) -> str:
        return event.old_digest.short if event.old_digest else ""

    @display(description="to")
    def new_label(self, event: TagEvent) -> str:
        return event.new_digest.short if event.new_digest else ""


class PlacementInline(ReadOnlyInline):
    """Where is it?"""

    model = Placement
    fields = ["repository", "first_seen_at", "absent_since"]
    verbose_name_plural = "where it is"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Placement]:
        rows: QuerySet[Placement] = super().get_queryset(request)
        return rows.select_related("repository__registry", "manifest").order_by("repository__registry__name")


class EdgeInline(ReadOnlyInline):
    """What does it list?"""

    model = ManifestEdge
    fk_name = "parent"
    fields = ["position", "platform", "child_digest", "size_bytes", "is_attestation"]
    verbose_name_plural = "what it lists"


class BlobInline(ReadOnlyInline):
    """What is it made of?"""

    model = ManifestBlob
    fields = ["position", "role", "blob", "media_type"]
    verbose_name_plural = "config and layers"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ManifestBlob]:
        rows: QuerySet[ManifestBlob] = super().get_queryset(request)
        return rows.select_related("blob")


@register(Manifest)
class ManifestAdmin(ReadOnlyAdmin):
    list_display = ["digest_label", "kind", "platform", "artifact_type", "content_label", "first_seen_at"]
    list_filter = ["kind", "platform"]
    search_fields = ["digest__startswith"]
    readonly_fields = ["content_label"]
    inlines = [PlacementInline, EdgeInline, BlobInline]
    ordering = ["-id"]
    fieldsets = [
        (None, {"fields": ["digest", "kind", "media_type", "artifact_type", "platform", "content_label"]}),
        ("Told by its makers", {"fields": ["image_created_at", "labels", "annotations"]}),
        ("Relations", {"fields": ["subject_digest", "config_digest", "first_seen_at"]}),
    ]

    @display(description="digest", ordering="digest")
    def digest_label(self, manifest: Manifest) -> SafeString:
        return format_html('<span title="{}">{}</span>', manifest.digest, manifest.digest.short)

    @display(description="size", ordering="content_bytes")
    def content_label(self, manifest: Manifest) -> str:
        return spell(manifest.content_bytes)


@register(Placement)
class PlacementAdmin(ReadOnlyAdmin):
    list_display = ["manifest", "repository", "first_seen_at", "absent_since"]
    list_filter = ["repository__registry", ("absent_since", admin_sync.EmptyFilter)]
    list_select_related = ["manifest", "repository__registry"]
    search_fields = ["manifest__digest", "repository__name"]


@register(Blob)
class BlobAdmin(ReadOnlyAdmin):
    list_display = ["digest", "size_label"]
    search_fields = ["digest__startswith"]

    @display(description="size", ordering="size_bytes")
    def size_label(self, blob: Blob) -> str:
        return spell(blob.size_bytes)
