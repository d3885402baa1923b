"""How is a registry read for the catalog? Network only, by a few threads; no row is touched here.

HEAD before GET: a digest that is known already costs nothing more, wherever it was seen first."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from registries.oci import mediatypes
from registries.oci.client import Client
from registries.oci.config import MAX_CONFIG_BYTES, ImageConfig, parse_config
from registries.oci.digest import Digest
from registries.oci.errors import DigestMismatch, NotFound, RegistryError, TooLarge
from registries.oci.manifest import InvalidManifest, Manifest

READING_THREADS = 8
MAX_DEPTH = 16
MAX_MANIFESTS = 5000

Item = TypeVar("Item")
Result = TypeVar("Result")
Known = Callable[[Iterable[Digest]], set[Digest]]


@dataclass(frozen=True)
class FoundManifest:
    """A manifest as read, and its image's config where it has one."""

    manifest: Manifest
    config: ImageConfig | None = None


@dataclass(frozen=True)
class Unread:
    """Content that is there and cannot be taken in: a person has to know, the rest goes on."""

    code: str
    text: str


@dataclass(frozen=True)
class Trees:
    """``unread`` holds what is there and was not taken in; everything else that was asked for is found or known."""

    found: Sequence[FoundManifest]
    unread: Mapping[Digest, Unread]


class CatalogReader:
    """One registry's client with threads of its own, counting what it sends."""

    def __init__(self, client: Client, *, threads: int = READING_THREADS) -> None:
        self.client = client
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="catalog")
        self._lock = threading.Lock()
        self.requests_sent = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def tags(self, repository: str) -> list[str]:
        """All tags by a list that ended cleanly; a repository the registry says it does not know has none."""
        self._count()
        try:
            return self.client.tags(repository)
        except NotFound as error:
            # Only the registry's own word counts: any 404 page of a proxy would otherwise empty the repository.
            if "NAME_UNKNOWN" not in error.codes:
                raise
            return []

    def digests(self, repository: str, tags: Sequence[str]) -> dict[str, Digest]:
        """Where tags point; those that are listed without a manifest behind them are left out."""
        heads = self._each(lambda tag: self._head(repository, tag), tags)
        return {tag: digest for tag, digest in zip(tags, heads, strict=True) if digest is not None}

    def has_manifest(self, repository: str, digest: Digest) -> bool:
        return self._head(repository, str(digest)) is not None

    def trees(self, repository: str, digests: Iterable[Digest], known: Known) -> Trees:
        """What is not known yet of these manifests and all below them; and what could not be taken in.

        Raises RegistryError when the registry, not the content, is at fault."""
        roots = sorted(set(digests))
        try:
            return self._trees(repository, roots, known)
        except InvalidManifest as error:
            if len(roots) == 1:
                return Trees([], {roots[0]: Unread(error.code, str(error))})
        # One of them is a bomb; alone, each of the others is taken in.
        found: list[FoundManifest] = []
        unread: dict[Digest, Unread] = {}
        for root in roots:
            tree = self.trees(repository, [root], known)
            found += tree.found
            unread |= tree.unread
        return Trees(found, unread)

    def _trees(self, repository: str, roots: Sequence[Digest], known: Known) -> Trees:
        found: dict[Digest, FoundManifest] = {}
        unread: dict[Digest, Unread] = {}
        asked: set[Digest] = set()
        wanted = self._unknown(roots, known)
        for _ in range(MAX_DEPTH):
            if not wanted:
                return Trees(list(found.values()), unread)
            asked.update(wanted)
            for digest, answer in self._manifests(repository, wanted):
                if isinstance(answer, FoundManifest):
                    found[digest] = answer
                elif digest in roots or answer.code != NotFound.code:
                    # A child that is not there is no fault of the content: some registries take sparse indexes.
                    unread[digest] = answer
            below = [child.digest for digest in wanted if digest in found for child in found[digest].manifest.children]
            wanted = self._unknown(below, known, asked)
            if len(found) + len(wanted) > MAX_MANIFESTS:
                break
        raise InvalidManifest(
            f"{self.client.label}: an image of {repository} has more than {MAX_MANIFESTS} manifests "
            f"or is nested deeper than {MAX_DEPTH}; it was not read"
        )

    def _manifests(self, repository: str, wanted: Sequence[Digest]) -> Iterable[tuple[Digest, FoundManifest | Unread]]:
        return zip(wanted, self._each(lambda digest: self._manifest(repository, digest), wanted), strict=True)

    @staticmethod
    def _unknown(
        digests: Iterable[Digest], known: Known, asked: frozenset[Digest] | set[Digest] = frozenset()
    ) -> list[Digest]:
        fresh = set(digests) - asked
        return sorted(fresh - known(fresh)) if fresh else []

    def _manifest(self, repository: str, digest: Digest) -> FoundManifest | Unread:
        self._count()
        try:
            manifest = self.client.get_manifest(repository, digest, digest)
            return FoundManifest(manifest, self._config(repository, manifest))
        except (NotFound, InvalidManifest, DigestMismatch, TooLarge) as error:
            return Unread(error.code, str(error))

    def _config(self, repository: str, manifest: Manifest) -> ImageConfig | None:
        config = manifest.config
        if config is None or not mediatypes.is_config(config.media_type) or config.size > MAX_CONFIG_BYTES:
            return None
        self._count()
        try:
            return parse_config(self.client.get_blob(repository, config.digest))
        except (NotFound, DigestMismatch, TooLarge):
            # The image is broken, which verification tells; the catalog still shows that it is there.
            return None

    def _head(self, repository: str, reference: str) -> Digest | None:
        self._count()
        head = self.client.head_manifest(repository, reference)
        return head.digest if head else None

    def _each(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Results in order; the first failure ends it, and what was not begun is not sent any more."""
        futures = [self._pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except RegistryError:
            for future in futures:
                future.cancel()
            raise

    def _count(self) -> None:
        with self._lock:
            self.requests_sent += 1
