"""What is where? Lists for pages and the API: querysets with what their rows show already joined; callers narrow them by rights."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch, Q, QuerySet

from portal.users.models import User
from registries.access.models import RobotAccount
from registries.access.queries import visible_repositories
from registries.catalog.models import (
    Hold,
    Manifest,
    ManifestBlob,
    ManifestEdge,
    Placement,
    Repository,
    SyncJob,
    Tag,
    TagEvent,
)
from registries.oci.digest import Digest
from registries.topology.models import Registry

MIN_DIGEST_PREFIX = 4


def repositories(registry: Registry | None = None, *, text: str = "") -> QuerySet[Repository]:
    """Repositories that are there, by name; ``text`` is a part of the name, case kept."""
    rows = Repository.objects.filter(absent_since=None).select_related("registry__zone", "sync_state")
    if registry is not None:
        rows = rows.filter(registry=registry)
    return rows.filter(name__contains=text) if text else rows


def repositories_seen_by(subject: User | RobotAccount, *, with_absent: bool = False) -> QuerySet[Repository]:
    """Those somebody may look into; what they may not see is to look as if it were not there."""
    rows = Repository.objects.filter(visible_repositories(subject))
    return rows if with_absent else rows.filter(absent_since=None)


def repository_of(registry: Registry, name: str) -> Repository | None:
    """One repository, present or not."""
    return Repository.objects.filter(registry=registry, name=name).select_related("registry__zone").first()


def tags_of(repository: Repository) -> QuerySet[Tag]:
    """Its tags, the one that moved last first, each with its manifest."""
    return Tag.objects.filter(repository=repository).select_related("manifest").order_by("-moved_at", "name")


def tag_of(registry: Registry, repository: str, tag: str) -> Tag | None:
    """One tag with its manifest."""
    rows = Tag.objects.select_related("manifest", "repository__registry__zone")
    return rows.filter(repository__registry=registry, repository__name=repository, name=tag).first()


def siblings_of(tag: Tag) -> QuerySet[Tag]:
    """Other tags of the repository on the same manifest."""
    return Tag.objects.filter(repository_id=tag.repository_id, manifest_id=tag.manifest_id).exclude(pk=tag.pk)


def history_of(repository: Repository, tag: str) -> QuerySet[TagEvent]:
    """Every move of one tag, the newest first."""
    return TagEvent.objects.filter(repository=repository, tag=tag).select_related("intent").order_by("-id")


def manifest_of(digest: Digest | str) -> Manifest | None:
    """A manifest by its full digest."""
    return Manifest.objects.filter(digest=digest).first()


def children_of(manifest: Manifest) -> QuerySet[ManifestEdge]:
    """What an index lists, in order; ``child`` is joined and may be empty."""
    return manifest.edges.select_related("child").order_by("position")


def platforms_of(manifest: Manifest) -> list[str]:
    """Platforms it runs on, attestations left out."""
    if manifest.kind != Manifest.Kind.INDEX:
        return [manifest.platform] if manifest.platform else []
    edges = manifest.edges.filter(is_attestation=False).exclude(platform="").order_by("position")
    return list(dict.fromkeys(edges.values_list("platform", flat=True)))


def parents_of(manifest: Manifest) -> QuerySet[Manifest]:
    """Indexes that list it."""
    return Manifest.objects.filter(edges__child_digest=manifest.digest).distinct()


def referrers_of(digest: Digest | str) -> QuerySet[Manifest]:
    """Manifests whose subject it is, wherever we saw them."""
    return Manifest.objects.filter(subject_digest=digest)


def layers_of(manifest: Manifest) -> QuerySet[ManifestBlob]:
    """Config and layers in order, with their blobs."""
    return manifest.blob_links.select_related("blob").order_by("position")


def placements_of(digest: Digest | str, *, with_absent: bool = False) -> QuerySet[Placement]:
    """Every repository a manifest is in, with the tags that point to it there as ``here_tags``."""
    rows = Placement.objects.filter(manifest__digest=digest)
    if not with_absent:
        rows = rows.filter(absent_since=None)
    tags = Tag.objects.filter(manifest__digest=digest).order_by("name")
    return (
        rows.select_related("repository__registry__zone", "repository__registry__location", "manifest")
        .prefetch_related(Prefetch("repository__tags", queryset=tags, to_attr="here_tags"))
        .order_by("repository__registry__zone__position", "repository__registry__name", "repository__name")
    )


def is_placed(registry: Registry, repository: str, digest: Digest | str) -> bool:
    """Whether we know a manifest to be in a repository now."""
    return Placement.objects.filter(
        repository__registry=registry, repository__name=repository, manifest__digest=digest, absent_since=None
    ).exists()


def holds_of(digest: Digest | str) -> QuerySet[Hold]:
    """What keeps a digest, newest first."""
    return Hold.objects.filter(digest=digest).order_by("-id")


def last_sync(registry: Registry) -> SyncJob | None:
    """The newest sync of the whole registry."""
    return SyncJob.objects.filter(registry=registry, repository_name="").order_by("-id").first()


@dataclass(frozen=True)
class Found:
    """What a search found, each kind cut at the limit."""

    repositories: Sequence[Repository]
    tags: Sequence[Tag]
    manifests: Sequence[Manifest]


def search(text: str, visible: QuerySet[Repository], limit: int = 20, *, with_unplaced: bool = False) -> Found:
    """One box: a part of a repository's name, the start of a tag, both as ``name:tag``, the start of a digest; inside what may be seen.

    Digests may be given with or without their algorithm, from four hex digits on. ``with_unplaced``: manifests, too, that are in no
    repository by themselves, like the images of an index."""
    name, _, tag = text.strip().partition(":")
    if not name:
        return Found([], [], [])
    named = visible.filter(name__icontains=name).select_related("registry__zone").order_by("name", "registry")
    return Found(
        list(named[:limit]),
        list(_tags_like(name, tag, visible)[:limit]),
        _by_digest(text.strip(), None if with_unplaced else visible, limit),
    )


def _tags_like(name: str, tag: str, visible: QuerySet[Repository]) -> QuerySet[Tag]:
    rows = Tag.objects.filter(repository__in=visible)
    rows = rows.filter(repository__name__icontains=name, name__prefix=tag) if tag else rows.filter(name__prefix=name)
    return rows.select_related("manifest", "repository__registry__zone").order_by("-moved_at", "name")


def _by_digest(text: str, visible: QuerySet[Repository] | None, limit: int) -> list[Manifest]:
    bare = text.removeprefix("sha256:").removeprefix("sha512:").lower()
    if len(bare) < MIN_DIGEST_PREFIX or not set(bare) <= set("0123456789abcdef"):
        return []
    rows = Manifest.objects.filter(Q(digest__prefix=f"sha256:{bare}") | Q(digest__prefix=f"sha512:{bare}"))
    if visible is not None:
        placed = Placement.objects.filter(repository__in=visible, absent_since=None)
        rows = rows.filter(pk__in=placed.values("manifest"))
    return list(rows.order_by("digest")[:limit])
