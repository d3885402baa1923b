"""Everything about one digest, gathered from every floor, cut to what the caller may see."""

from typing import Any

from django.utils import timezone

from portal.api.callers import caller_of
from promotions.replication.queries import deliveries_of, seen_by
from promotions.workflow.queries import requests_seen_by
from registries.catalog.holds import active_holds
from registries.catalog.models import Manifest, ManifestEdge, Placement
from registries.catalog.queries import children_of, manifest_of, placements_of, repositories_seen_by
from registries.oci.digest import Digest

MOST = 200


def passport_of(request: Any, digest: Digest) -> dict[str, Any] | None:
    """None where the caller may pull none of the places that have it: then it looks as if it were not there."""
    caller = caller_of(request)
    manifest = manifest_of(digest)
    if manifest is None:
        return None
    visible = repositories_seen_by(caller)
    placements = list(placements_of(digest).filter(repository__in=visible)[:MOST])
    if not placements:
        return None
    return {
        **_facts(manifest),
        "placements": [_placement(row) for row in placements],
        "promotions": requests_seen_by(caller).filter(items__digest=digest)[:MOST],
        "deliveries": seen_by(caller, deliveries_of(digest)[:MOST]),
        "holds": active_holds(timezone.now()).filter(digest=digest).order_by("-id")[:MOST],
    }


def _facts(manifest: Manifest) -> dict[str, Any]:
    return {
        "digest": manifest.digest,
        "kind": manifest.kind,
        "media_type": manifest.media_type,
        "artifact_type": manifest.artifact_type,
        "subject": manifest.subject_digest,
        "size_bytes": manifest.size_bytes,
        "content_bytes": manifest.content_bytes,
        "created_at": manifest.image_created_at,
        "labels": manifest.labels,
        "annotations": manifest.annotations,
        "platforms": _platforms(manifest),
    }


def _platforms(manifest: Manifest) -> list[dict[str, Any]]:
    if manifest.kind == Manifest.Kind.INDEX:
        return [_child(edge) for edge in children_of(manifest)[:MOST]]
    return [_described(manifest, manifest.platform, is_attestation=False)] if manifest.platform else []


def _child(edge: ManifestEdge) -> dict[str, Any]:
    if edge.child is not None:
        return _described(edge.child, edge.platform or edge.child.platform, is_attestation=edge.is_attestation)
    return {
        "platform": edge.platform,
        "digest": edge.child_digest,
        "is_attestation": edge.is_attestation,
        "is_read": False,
        "created_at": None,
        "content_bytes": None,
        "labels": {},
    }


def _described(manifest: Manifest, platform: str, *, is_attestation: bool) -> dict[str, Any]:
    return {
        "platform": platform,
        "digest": manifest.digest,
        "is_attestation": is_attestation,
        "is_read": True,
        "created_at": manifest.image_created_at,
        "content_bytes": manifest.content_bytes,
        "labels": manifest.labels,
    }


def _placement(row: Placement) -> Placement:
    here: Any = row.repository
    row.tag_names = [tag.name for tag in here.here_tags]  # type: ignore[attr-defined]
    return row
