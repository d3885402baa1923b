"""Is an artifact whole at a registry? Answered from rows alone, so that it costs next to nothing to ask.

Whole means: the manifest and every manifest below it are placed there, and where we carry images ourselves (prod, archive, and every
target of a rule) the registry answered for every one of them and for every blob when it was read back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from portal.jobs.models import JobState
from promotions.replication.models import Delivery
from promotions.replication.reconcile import why_idle
from registries.catalog.models import Manifest, ManifestBlob, ManifestEdge, Placement
from registries.copies.models import CopyJob
from registries.oci.digest import Digest
from registries.topology.models import Registry, ZoneKind

FILLED_BY_US = (ZoneKind.PROD, ZoneKind.ARCHIVE)
MAX_DEPTH = 16
SHOWN = 10


@dataclass(frozen=True)
class Artifact:
    """What belongs to a digest as far as it has been read. ``unread``: named by an index and never seen anywhere."""

    digest: Digest
    manifests: frozenset[Digest]
    unread: frozenset[Digest]
    blobs: int


@dataclass(frozen=True)
class Readiness:
    """One registry's answer. ``code``: ready, seen, unknown, missing, partial, copying, failed or not_read_back."""

    registry: str
    is_ready: bool
    code: str
    reason: str
    manifests_present: int = 0
    manifests_total: int = 0
    blobs_total: int = 0
    missing: tuple[Digest, ...] = ()
    verified_at: datetime | None = None


def readiness_of(digest: Digest, repository: str, registries: Iterable[Registry]) -> list[Readiness]:
    """The answer of each registry, in the order they were given."""
    artifact = artifact_of(digest)
    if artifact is None:
        text = f"No registry we know has shown {digest} so far."
        return [Readiness(registry.name, False, "unknown", text) for registry in registries]
    return [_at(artifact, repository, registry) for registry in registries]


def artifact_of(digest: Digest) -> Artifact | None:
    """The tree below a digest, None when the catalog does not know it."""
    root = Manifest.objects.filter(digest=digest).first()
    if root is None:
        return None
    seen: dict[int, Digest] = {root.pk: root.digest}
    unread: set[Digest] = set()
    level = {root.pk}
    for _ in range(MAX_DEPTH):
        edges = ManifestEdge.objects.filter(parent__in=level).select_related("child")
        unread |= {edge.child_digest for edge in edges if edge.child is None}
        below = {edge.child.pk: edge.child.digest for edge in edges if edge.child is not None}
        level = set(below) - set(seen)
        if not level:
            break
        seen |= below
    blobs = ManifestBlob.objects.filter(manifest__in=seen).values("blob").distinct().count()
    return Artifact(digest, frozenset(seen.values()), frozenset(unread), blobs)


def _at(artifact: Artifact, repository: str, registry: Registry) -> Readiness:
    placements = Placement.objects.filter(
        repository__registry=registry,
        repository__name=repository,
        manifest__digest__in=artifact.manifests,
        absent_since=None,
    )
    placed = {row.manifest.digest for row in placements.select_related("manifest")}
    lacking = tuple(sorted((artifact.manifests - placed) | artifact.unread))
    verified_at = _read_back_at(artifact.digest, repository, registry)
    delivery = _delivery(artifact.digest, repository, registry)
    code, reason = _verdict(artifact, registry, placed, lacking, verified_at, delivery)
    return Readiness(
        registry.name,
        code in ("ready", "seen"),
        code,
        reason,
        len(placed),
        len(artifact.manifests) + len(artifact.unread),
        artifact.blobs,
        lacking[:SHOWN],
        verified_at,
    )


def _verdict(
    artifact: Artifact,
    registry: Registry,
    placed: set[Digest],
    lacking: Sequence[Digest],
    verified_at: datetime | None,
    delivery: Delivery | None,
) -> tuple[str, str]:
    if delivery is not None and delivery.state == Delivery.State.FAILED:
        return "failed", f"It could not be carried there yet and is tried again: {delivery.reason_text}"
    if delivery is not None and delivery.state != Delivery.State.PRESENT:
        return "copying", _on_its_way(registry, delivery)
    if artifact.digest not in placed:
        return "missing", f"It is not at {registry} under this name."
    if lacking:
        return "partial", f"{len(lacking)} of its manifests are not at {registry}, for example {lacking[0]}."
    if verified_at is not None:
        return "ready", "Every manifest and every blob answered when it was read back."
    if registry.zone.kind in FILLED_BY_US or delivery is not None:
        return "not_read_back", f"{registry} shows it, and no job of ours has read back its blobs."
    return "seen", f"{registry} shows all of its manifests; it takes pushes directly, so its blobs are its own affair."


def _on_its_way(registry: Registry, delivery: Delivery) -> str:
    """With what holds it up, where something does."""
    job = delivery.copy_job
    held_up = why_idle(delivery.rule) or (job.reason_text if job is not None else "")
    return f"It is on its way to {registry}. {held_up}".rstrip()


def _read_back_at(digest: Digest, repository: str, registry: Registry) -> datetime | None:
    """When a copy of ours last read everything back there."""
    done = CopyJob.objects.filter(
        digest=digest, target=registry, target_repository=repository, state=JobState.DONE
    ).exclude(verified_at=None)
    times = [done.order_by("-verified_at").values_list("verified_at", flat=True).first()]
    held = _deliveries(digest, repository, registry).exclude(verified_at=None)
    times.append(held.order_by("-verified_at").values_list("verified_at", flat=True).first())
    return max((at for at in times if at is not None), default=None)


def _delivery(digest: Digest, repository: str, registry: Registry) -> Delivery | None:
    """The delivery that is least far, so that one good tag does not hide another that failed."""
    rows = _deliveries(digest, repository, registry).filter(Q(rule__is_enabled=True) | Q(state=Delivery.State.PRESENT))
    order = [Delivery.State.PRESENT, Delivery.State.COPYING, Delivery.State.PENDING, Delivery.State.FAILED]
    return max(rows, key=lambda row: order.index(Delivery.State(row.state)), default=None)


def _deliveries(digest: Digest, repository: str, registry: Registry) -> QuerySet[Delivery]:
    rows = Delivery.objects.filter(digest=digest, repository=repository, rule__target=registry)
    return rows.select_related("rule__target", "copy_job")
