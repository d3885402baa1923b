"""What does the target have now, and how does the asked-for artifact differ from it? From rows alone."""

from typing import Any

from promotions.workflow.collect import NotInCatalog, artifact_bytes, manifest_of, parts_of
from promotions.workflow.diff import ArtifactFacts, PartFacts, difference
from promotions.workflow.models import PromotionItem
from registries.catalog.models import Manifest, ManifestBlob, Tag
from registries.oci.digest import Digest
from registries.topology.models import Registry


def current_digests(target: Registry, repository: str, tags: list[str]) -> dict[str, str]:
    """Tag -> digest it has now at the target, as far as the catalog knows; empty text where there is none."""
    rows = Tag.objects.filter(repository__registry=target, repository__name=repository, name__in=tags)
    known = {row.name: str(row.manifest.digest) for row in rows.select_related("manifest")}
    return {tag: known.get(tag, "") for tag in tags}


def difference_of(item: PromotionItem, target: Registry) -> dict[str, Any]:
    """What changes at the target. Raises NotInCatalog where the artifact itself is unknown."""
    tag, digest = _baseline(item, target)
    try:
        old = facts_of(digest) if digest else None
    except NotInCatalog:
        old = None
    return difference(old, facts_of(item.digest), tag=tag)


def _baseline(item: PromotionItem, target: Registry) -> tuple[str, Digest | None]:
    """The digest behind a tag that will move, else behind the tag that moved last in the repository."""
    for tag, digest in item.expected_digests.items():
        if digest:
            return tag, Digest.parse(digest)
    rows = Tag.objects.filter(repository__registry=target, repository__name=item.target_repository)
    last = rows.exclude(manifest__digest=item.digest).select_related("manifest").order_by("-moved_at", "-id").first()
    return (last.name, last.manifest.digest) if last else ("", None)


def facts_of(digest: Digest) -> ArtifactFacts:
    """One artifact as a value; parts that have not been read are left out."""
    manifest = manifest_of(digest)
    parts = parts_of(manifest)
    read = {part.platform: part.manifest for part in parts if part.manifest is not None}
    layers = _layers(list(read.values()))
    found = {platform: _facts(row, layers.get(row.pk, {})) for platform, row in read.items()}
    return ArtifactFacts(str(digest), artifact_bytes(manifest, parts), found)


def _layers(manifests: list[Manifest]) -> dict[int, dict[str, int]]:
    links = ManifestBlob.objects.filter(manifest__in=manifests, role=ManifestBlob.Role.LAYER).select_related("blob")
    found: dict[int, dict[str, int]] = {}
    for link in links:
        found.setdefault(link.manifest_id, {})[str(link.blob.digest)] = link.blob.size_bytes
    return found


def _facts(row: Manifest, layers: dict[str, int]) -> PartFacts:
    created = row.image_created_at.isoformat() if row.image_created_at else ""
    return PartFacts(dict(row.labels), layers, str(row.config_digest), created)
