"""What do the catalog's rows know about an artifact? Evidence for gates, from rows alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from promotions.gates.base import ImageEvidence
from promotions.workflow.models import PromotionItem
from registries.catalog.models import Manifest, ManifestEdge
from registries.oci.digest import Digest

NO_PLATFORM = "the artifact"


class NotInCatalog(Exception):
    """The manifest has not been read into the catalog."""


@dataclass(frozen=True)
class Part:
    """What runs on one platform; ``manifest`` is empty while it has not been read."""

    platform: str
    manifest: Manifest | None


def manifest_of(digest: Digest) -> Manifest:
    """The manifest's row; raises NotInCatalog."""
    row = Manifest.objects.filter(digest=digest).first()
    if row is None:
        raise NotInCatalog(str(digest))
    return row


def parts_of(manifest: Manifest) -> list[Part]:
    """An image is one part, an index has one per platform; attestations beside them are no parts."""
    if manifest.kind != Manifest.Kind.INDEX:
        return [Part(manifest.platform or NO_PLATFORM, manifest)]
    return list(_children(manifest))


def _children(index: Manifest) -> Iterator[Part]:
    for edge in ManifestEdge.objects.filter(parent=index, is_attestation=False).select_related("child"):
        platform = edge.platform or (edge.child.platform if edge.child else "")
        yield Part(platform or f"part {edge.position + 1}", edge.child)


def evidence_for(item: PromotionItem) -> ImageEvidence:
    """Raises NotInCatalog where the manifest itself is unknown; unknown children come back as ``unread``."""
    manifest = manifest_of(item.digest)
    parts = parts_of(manifest)
    return ImageEvidence(
        repository=item.source_repository,
        digest=item.digest,
        source_tag=item.source_tag,
        target_tags=tuple(item.target_tags),
        kind=manifest.kind,
        platforms=tuple(part.platform for part in parts if part.platform != NO_PLATFORM),
        labels_by_platform=labels_by_platform(parts),
        annotations=manifest.annotations,
        size_bytes=artifact_bytes(manifest, parts),
        unread=tuple(part.platform for part in parts if part.manifest is None),
    )


def labels_by_platform(parts: list[Part]) -> Mapping[str, Mapping[str, str]]:
    """Two parts of one platform would hide each other: the later ones are numbered."""
    found: dict[str, Mapping[str, str]] = {}
    for number, part in enumerate(parts, 1):
        if part.manifest is not None:
            name = f"{part.platform} (part {number})" if part.platform in found else part.platform
            found[name] = part.manifest.labels
    return found


def artifact_bytes(manifest: Manifest, parts: list[Part]) -> int:
    """Manifests, configs and layers of all parts; a layer that parts share is counted with each."""
    inner = [part.manifest for part in parts if part.manifest is not None and part.manifest.pk != manifest.pk]
    return sum(row.size_bytes + row.content_bytes for row in [manifest, *inner])
