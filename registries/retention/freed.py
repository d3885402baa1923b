"""How many bytes really come free? Only what no remaining manifest of the registry needs, wherever in it that is."""

from collections import defaultdict
from collections.abc import Mapping

from django.db.models import Count

from registries.catalog.models import Blob, Manifest, ManifestBlob, Placement
from registries.catalog.store import batched
from registries.topology.models import Registry


def freed_bytes(registry: Registry, going: Mapping[int, int]) -> dict[int, int]:
    """``going``: manifest key -> in how many repositories it goes. Bytes by manifest; shared ones count for the first."""
    freed = _manifests_gone_everywhere(registry, going)
    shared: dict[int, int] = defaultdict(int)
    first: dict[int, int] = {}
    for some in batched(freed):
        links = ManifestBlob.objects.filter(manifest__in=some).order_by("manifest", "position")
        for manifest, blob in links.values_list("manifest_id", "blob_id").distinct():
            shared[blob] += 1
            first.setdefault(blob, manifest)
    for some in batched(shared):
        users = _users(registry, some)
        sizes = dict(Blob.objects.filter(pk__in=some).values_list("pk", "size_bytes"))
        for blob in some:
            if users[blob] == shared[blob]:
                freed[first[blob]] += sizes[blob]
    return freed


def _manifests_gone_everywhere(registry: Registry, going: Mapping[int, int]) -> dict[int, int]:
    """Those that are in no repository afterwards, with the size of their documents."""
    gone: dict[int, int] = {}
    for some in batched(going):
        rows = Placement.objects.filter(repository__registry=registry, absent_since=None, manifest__in=some)
        counted = dict(rows.order_by().values_list("manifest_id").annotate(Count("pk")))
        sizes = dict(Manifest.objects.filter(pk__in=some).values_list("pk", "size_bytes"))
        gone |= {pk: sizes[pk] for pk in some if counted.get(pk, 0) <= going[pk]}
    return gone


def _users(registry: Registry, blobs: list[int]) -> dict[int, int]:
    """In how many manifests that are in the registry each blob is."""
    links = ManifestBlob.objects.filter(
        blob__in=blobs,
        manifest__placements__repository__registry=registry,
        manifest__placements__absent_since=None,
    )
    counted = links.order_by().values_list("blob_id").annotate(Count("manifest_id", distinct=True))
    return defaultdict(int, counted)
