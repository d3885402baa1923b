"""What do the deciders need to know? Rows read into their values, one repository at a time."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q

from registries.catalog.holds import held_among
from registries.catalog.models import ManifestEdge, Placement, Repository
from registries.catalog.store import batched
from registries.oci.digest import Digest
from registries.retention.closure import Graph
from registries.retention.evaluate import Policy, TagFact
from registries.retention.models import RetentionPolicy
from registries.topology.models import Registry


def policies_for(registry: Registry, *, only_automatic: bool = False) -> list[Policy]:
    """Policies that speak of a registry; with ``only_automatic`` the others keep and protect, and delete nothing."""
    rows = RetentionPolicy.objects.filter(is_enabled=True).filter(
        Q(registry=registry) | Q(registry=None, zone=registry.zone_id) | Q(registry=None, zone=None)
    )
    return [as_value(row, may_delete=row.is_automatic or not only_automatic) for row in rows]


def as_value(row: RetentionPolicy, *, may_delete: bool = True) -> Policy:
    """A policy's row as the deciders take it."""
    seconds = row.older_than_seconds
    return Policy(
        name=row.name,
        repository_glob=row.repository_glob,
        tag_glob=row.tag_glob,
        older_than=None if seconds is None else timedelta(seconds=min(seconds, 10**10)),
        keep_newest=row.keep_newest,
        protect_tag_glob=row.protect_tag_glob,
        max_share_percent=row.max_share_percent,
        position=row.position,
        may_delete=may_delete,
    )


def tags_in(repository: Repository) -> list[TagFact]:
    """Its tags as we know them."""
    rows = repository.tags.values_list("name", "manifest__digest", "moved_at", "manifest__image_created_at")
    return [TagFact(name, Digest.parse(digest), moved_at, built_at) for name, digest, moved_at, built_at in rows]


def graph_of(repository: Repository, also: Iterable[Digest] = ()) -> Graph:
    """What is in it, what lists what, and what refers to what. ``also``: manifests that were in it until just now."""
    children: set[Digest] = set()
    subjects: dict[Digest, Digest] = {}
    here = Placement.objects.filter(repository=repository, absent_since=None)
    for digest, subject in here.values_list("manifest__digest", "manifest__subject_digest"):
        children.add(Digest.parse(digest))
        if subject:
            subjects[Digest.parse(digest)] = Digest.parse(subject)
    tagged = repository.tags.values_list("manifest__digest", flat=True)
    children |= {Digest.parse(digest) for digest in tagged} | set(also)
    found: dict[Digest, set[Digest]] = defaultdict(set)
    for some in batched(sorted(children)):
        edges = ManifestEdge.objects.filter(parent__digest__in=some)
        for parent, child in edges.values_list("parent__digest", "child_digest"):
            found[Digest.parse(parent)].add(Digest.parse(child))
    return Graph({digest: frozenset(found[digest]) for digest in children}, subjects)


def holds_in(graph: Graph, now: datetime) -> dict[Digest, str]:
    """Holds in force on anything of a repository, also on children that are not there."""
    digests = set(graph.children) | {child for below in graph.children.values() for child in below}
    return held_among(digests, now)
