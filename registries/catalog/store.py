"""How do manifests become rows? Global, by digest, written once; two writers of one digest do not disturb each other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.db import transaction
from django.db.models import F, Sum
from django.db.models.functions import Coalesce

from registries.catalog.models import (
    Blob,
    Manifest,
    ManifestBlob,
    ManifestBody,
    ManifestEdge,
    Placement,
    Repository,
    TagEvent,
)
from registries.catalog.read import FoundManifest
from registries.oci.descriptor import Descriptor
from registries.oci.digest import Digest
from registries.oci.manifest import is_attestation

BATCH = 500
MAX_POSITION = 32_767
MAX_DEPTH = 16
_MAX_SIZE = 2**63 - 1
_MAX_LABELS = 500
_MAX_LABEL = 10_000

T = TypeVar("T")


def known_digests(digests: Iterable[Digest]) -> set[Digest]:
    """Those whose manifest and children we have; one whose child was not there when it was read is read again."""
    found: set[Digest] = set()
    for some in batched(digests):
        rows = Manifest.objects.filter(digest__in=some, body__isnull=False)
        lacking = ManifestEdge.objects.filter(parent__digest__in=some, child=None).values_list(
            "parent__digest", flat=True
        )
        found |= {Digest.parse(digest) for digest in set(rows.values_list("digest", flat=True)) - set(lacking)}
    return found


def store_manifests(found: Sequence[FoundManifest]) -> None:
    """Write manifests with bodies, children and blobs, in one transaction: whoever sees one sees all of it."""
    if not found:
        return
    # Sorted, so that two writers take the same rows in the same order and never wait for each other in a circle.
    ordered = sorted(found, key=lambda item: item.manifest.digest)
    with transaction.atomic():
        Manifest.objects.bulk_create([_row(item) for item in ordered], batch_size=BATCH, ignore_conflicts=True)
        rows = manifests_by_digest(item.manifest.digest for item in ordered)
        ManifestBody.objects.bulk_create(
            [ManifestBody(manifest=rows[item.manifest.digest], raw=item.manifest.raw) for item in ordered],
            batch_size=BATCH,
            ignore_conflicts=True,
        )
        _store_blobs(ordered, rows)
        _store_edges(ordered, rows)


def manifests_by_digest(digests: Iterable[Digest]) -> dict[Digest, Manifest]:
    """Rows by digest; digests without a row are left out."""
    return {row.digest: row for some in batched(digests) for row in Manifest.objects.filter(digest__in=some)}


def place_manifests(repository: Repository, digests: Iterable[Digest], at: datetime) -> int:
    """Say that manifests, and all below them, are in a repository; how many were not so far. Inside a transaction."""
    wanted = _with_descendants(digests)
    known: dict[int, Placement] = {}
    for some in batched(wanted):
        known |= {row.manifest_id: row for row in repository.placements.filter(manifest__in=some)}
    back = [row.pk for row in known.values() if row.absent_since is not None]
    for pks in batched(back):
        Placement.objects.filter(pk__in=pks).update(absent_since=None, first_seen_at=at)
    fresh = sorted(wanted - known.keys())
    Placement.objects.bulk_create(
        [Placement(repository=repository, manifest_id=pk, first_seen_at=at) for pk in fresh],
        batch_size=BATCH,
        ignore_conflicts=True,
    )
    return len(fresh) + len(back)


def update_figures(repository: Repository, at: datetime) -> None:
    """Count again what a repository holds and let its readers know: the revision grows. Inside the change's transaction."""
    present = Placement.objects.filter(repository=repository, absent_since=None)
    manifests = Manifest.objects.filter(placements__in=present)
    own = manifests.aggregate(total=Coalesce(Sum("size_bytes"), 0))["total"]
    linked = ManifestBlob.objects.filter(manifest__placements__in=present).values("blob")
    shared = Blob.objects.filter(pk__in=linked).aggregate(total=Coalesce(Sum("size_bytes"), 0))["total"]
    Repository.objects.filter(pk=repository.pk).update(
        revision=F("revision") + 1,
        tag_count=repository.tags.count(),
        size_bytes=min(own + shared, _MAX_SIZE),
        last_moved_at=at,
    )


def batched(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Lists of at most ``size``: SQLite takes only so many parameters in one statement."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some


def events_since(repository: Repository, since: datetime) -> set[str]:
    """Tags that were moved by somebody else's recording since a time."""
    return set(TagEvent.objects.filter(repository=repository, at__gte=since).values_list("tag", flat=True))


def _with_descendants(digests: Iterable[Digest]) -> set[int]:
    reached: set[int] = set()
    level = {row.pk for row in manifests_by_digest(digests).values()}
    for _ in range(MAX_DEPTH + 1):
        level -= reached
        if not level:
            break
        reached |= level
        level = {pk for some in batched(level) for pk in _children(some)}
    return reached


def _children(parents: list[int]) -> Iterator[int]:
    edges = ManifestEdge.objects.filter(parent__in=parents, child__isnull=False)
    return (pk for pk in edges.values_list("child_id", flat=True) if pk)


def _row(item: FoundManifest) -> Manifest:
    manifest, config = item.manifest, item.config
    return Manifest(
        digest=manifest.digest,
        media_type=clean_text(manifest.media_type, 255),
        kind=manifest.kind,
        artifact_type=clean_text(manifest.artifact_type, 255),
        size_bytes=manifest.size,
        content_bytes=min(sum(blob.size for blob in _held(manifest.blobs)), _MAX_SIZE),
        config_digest=manifest.config.digest if manifest.config else "",
        subject_digest=manifest.subject.digest if manifest.subject else "",
        platform=clean_text(str(config.platform), 120) if config and config.platform else "",
        image_created_at=config.created if config else None,
        labels=_clean_pairs(config.labels) if config else {},
        annotations=_clean_pairs(manifest.annotations),
    )


def _held(blobs: Iterable[Descriptor]) -> list[Descriptor]:
    """Foreign layers are at no registry by declaration."""
    return [blob for blob in blobs if not blob.is_foreign][:MAX_POSITION]


def _store_blobs(found: Sequence[FoundManifest], rows: Mapping[Digest, Manifest]) -> None:
    blobs = {blob.digest: blob for item in found for blob in _held(item.manifest.blobs)}
    ordered = sorted(blobs)
    Blob.objects.bulk_create(
        [Blob(digest=digest, size_bytes=min(blobs[digest].size, _MAX_SIZE)) for digest in ordered],
        batch_size=BATCH,
        ignore_conflicts=True,
    )
    keys = {row.digest: row.pk for some in batched(ordered) for row in Blob.objects.filter(digest__in=some)}
    ManifestBlob.objects.bulk_create(
        [link for item in found for link in _blob_links(item, rows[item.manifest.digest], keys)],
        batch_size=BATCH,
        ignore_conflicts=True,
    )


def _blob_links(item: FoundManifest, row: Manifest, keys: Mapping[Digest, int]) -> Iterator[ManifestBlob]:
    config = item.manifest.config
    for position, blob in enumerate(_held(item.manifest.blobs)):
        is_config = config is not None and blob.digest == config.digest
        yield ManifestBlob(
            manifest=row,
            blob_id=keys[blob.digest],
            role=ManifestBlob.Role.CONFIG if is_config else ManifestBlob.Role.LAYER,
            position=position,
            media_type=clean_text(blob.media_type, 255),
        )


def _store_edges(found: Sequence[FoundManifest], rows: Mapping[Digest, Manifest]) -> None:
    children = manifests_by_digest({child.digest for item in found for child in item.manifest.children})
    ManifestEdge.objects.bulk_create(
        [edge for item in found for edge in _edges(item, rows[item.manifest.digest], children)],
        batch_size=BATCH,
        ignore_conflicts=True,
    )
    # Indexes that were read when this child was not there.
    for some in batched(rows):
        waiting = list(ManifestEdge.objects.filter(child_digest__in=some, child=None))
        for edge in waiting:
            edge.child = rows[edge.child_digest]
        ManifestEdge.objects.bulk_update(waiting, ["child"], batch_size=BATCH)


def _edges(item: FoundManifest, row: Manifest, children: Mapping[Digest, Manifest]) -> Iterator[ManifestEdge]:
    for position, child in enumerate(item.manifest.children[:MAX_POSITION]):
        yield ManifestEdge(
            parent=row,
            position=position,
            child_digest=child.digest,
            child=children.get(child.digest),
            media_type=clean_text(child.media_type, 255),
            size_bytes=min(child.size, _MAX_SIZE),
            platform=clean_text(str(child.platform), 120) if child.platform else "",
            is_attestation=is_attestation(child),
        )


def _clean_pairs(pairs: Mapping[str, str]) -> dict[str, str]:
    return {clean_text(key, 255): clean_text(value, _MAX_LABEL) for key, value in islice(pairs.items(), _MAX_LABELS)}


def clean_text(text: str, limit: int) -> str:
    """What every database can keep: no NUL, no half of a surrogate pair, no more than so much."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:limit]
