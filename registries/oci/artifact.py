"""What belongs to an artifact? Its manifest, everything reachable from it, and what refers to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from registries.oci.client import Client
from registries.oci.crew import Crew
from registries.oci.descriptor import Descriptor
from registries.oci.digest import Digest
from registries.oci.errors import Denied, NotFound, Unauthorized
from registries.oci.manifest import InvalidManifest, Manifest
from registries.oci.referrers import as_referrer, digest_tags

MAX_MANIFESTS = 5000
MAX_DEPTH = 16


@dataclass(frozen=True)
class Artifact:
    """Everything to move for one digest.

    `manifests` and `referrers` come in waves: each wave needs only the ones before it.
    `referrer_lists` says which manifests name which as their subject; `digest_tags` are cosign's.
    """

    root: Manifest
    manifests: tuple[tuple[Manifest, ...], ...]
    referrers: tuple[tuple[Manifest, ...], ...] = ()
    referrer_lists: Mapping[Digest, tuple[Descriptor, ...]] = field(default_factory=dict)
    digest_tags: Mapping[str, Digest] = field(default_factory=dict)

    @property
    def all_manifests(self) -> tuple[Manifest, ...]:
        return tuple(manifest for wave in (*self.manifests, *self.referrers) for manifest in wave)

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        return blobs_of(self.all_manifests)


def blobs_of(manifests: Iterable[Manifest]) -> tuple[Descriptor, ...]:
    """Each blob once, the largest first: one blob cannot be sent in parallel, so the largest sets the pace."""
    distinct = {blob.digest: blob for manifest in manifests for blob in manifest.blobs if not blob.is_foreign}
    return tuple(sorted(distinct.values(), key=lambda blob: (-blob.size, blob.digest)))


def collect_artifact(
    client: Client, repository: str, digest: Digest, crew: Crew, *, referrers: bool = True
) -> Artifact:
    """Read all manifests of an artifact, each hashed. Raises NotFound when one of them is not there."""
    reading = _Reading(client, repository, crew)
    reading.expand([digest])
    main = dict(reading.graph)
    if referrers:
        reading.find_referrers()
    others = {found: manifest for found, manifest in reading.graph.items() if found not in main}
    return Artifact(main[digest], _waves(main), _waves(others), reading.referrer_lists(), reading.digest_tags)


class _Reading:
    def __init__(self, client: Client, repository: str, crew: Crew) -> None:
        self._client, self._repository, self._crew = client, repository, crew
        self.graph: dict[Digest, Manifest] = {}
        self.digest_tags: dict[str, Digest] = {}

    def expand(self, digests: Iterable[Digest], *, may_miss: bool = False) -> list[Digest]:
        """Read these manifests and all below them; returns what is new. `may_miss` holds for these, never for children."""
        added: list[Digest] = []
        wanted = self._unknown(digests)
        for _ in range(MAX_DEPTH):
            if not wanted:
                return added
            self._crew.check()
            read = self._read_or_none if may_miss else self._read
            found = [manifest for manifest in self._crew.each(read, wanted) if manifest is not None]
            self.graph.update({manifest.digest: manifest for manifest in found})
            added += [manifest.digest for manifest in found]
            wanted, may_miss = self._unknown(child.digest for manifest in found for child in manifest.children), False
            self._check_count(len(wanted))
        raise InvalidManifest(f"{self._client.label}: indexes of {self._repository} are nested deeper than {MAX_DEPTH}")

    def find_referrers(self) -> None:
        """What refers to any manifest read so far, and to those in turn; `graph` guards against circles."""
        tags = self._tags()
        fresh = list(self.graph)
        while fresh:
            self._crew.check()
            found = self._crew.each(lambda digest: self._referring(digest, tags), fresh)
            fresh = self.expand([digest for digests in found for digest in digests], may_miss=True)

    def referrer_lists(self) -> dict[Digest, tuple[Descriptor, ...]]:
        lists: dict[Digest, tuple[Descriptor, ...]] = {}
        for manifest in self.graph.values():
            if manifest.subject is not None and manifest.subject.digest in self.graph:
                subject = manifest.subject.digest
                lists[subject] = (*lists.get(subject, ()), as_referrer(manifest))
        return lists

    def _referring(self, digest: Digest, tags: frozenset[str] | None) -> list[Digest]:
        listed = self._client.referrers_by_api(self._repository, digest)
        found = [descriptor.digest for descriptor in listed or ()]
        if tags is None or digest.fallback_tag in tags:
            found += [descriptor.digest for descriptor in self._client.referrers_by_tag(self._repository, digest)]
        return found + [d for tag in digest_tags(digest, tags or ()) if (d := self._tagged(tag)) is not None]

    def _tagged(self, tag: str) -> Digest | None:
        head = self._client.head_manifest(self._repository, tag)
        if head is None:
            return None
        self.digest_tags[tag] = head.digest
        return head.digest

    def _tags(self) -> frozenset[str] | None:
        """One list instead of four questions per manifest; None where listing is not allowed."""
        try:
            return frozenset(self._client.tags(self._repository))
        except (Denied, Unauthorized, NotFound):
            return None

    def _unknown(self, digests: Iterable[Digest]) -> list[Digest]:
        return [digest for digest in dict.fromkeys(digests) if digest not in self.graph]

    def _check_count(self, more: int) -> None:
        if len(self.graph) + more > MAX_MANIFESTS:
            raise InvalidManifest(
                f"{self._client.label}: an artifact of {self._repository} has more than {MAX_MANIFESTS} manifests"
            )

    def _read(self, digest: Digest) -> Manifest | None:
        return self._client.get_manifest(self._repository, digest, digest)

    def _read_or_none(self, digest: Digest) -> Manifest | None:
        """A list of referrers may name what is long deleted."""
        try:
            return self._read(digest)
        except NotFound:
            return None


def _waves(graph: Mapping[Digest, Manifest]) -> tuple[tuple[Manifest, ...], ...]:
    heights: dict[Digest, int] = {}
    for digest in graph:
        _height(digest, graph, heights)
    top = max(heights.values(), default=-1)
    return tuple(tuple(graph[d] for d in graph if heights[d] == height) for height in range(top + 1))


def _height(digest: Digest, graph: Mapping[Digest, Manifest], heights: dict[Digest, int]) -> int:
    # Content addressing allows no circle, and the depth was bounded while reading.
    if digest not in heights:
        below = [_height(child.digest, graph, heights) for child in graph[digest].children if child.digest in graph]
        heights[digest] = max(below, default=-1) + 1
    return heights[digest]
