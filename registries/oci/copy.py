"""The one way content moves: by digest, byte for byte, tags last, and done only when it was read back."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from registries.oci.artifact import Artifact, blobs_of, collect_artifact
from registries.oci.client import Client
from registries.oci.crew import Crew
from registries.oci.descriptor import Descriptor
from registries.oci.digest import Digest
from registries.oci.errors import Denied, Incomplete, RegistryError
from registries.oci.fallback import add_to_fallback
from registries.oci.manifest import Manifest
from registries.oci.progress import Meter, Progress
from registries.oci.tagging import due_tags, set_tag
from registries.oci.transfer import Transfer
from registries.oci.verify import blob_state, has_manifest

PROGRESS_SECONDS = 0.5


@dataclass(frozen=True)
class CopyResult:
    """Counts of what was done, and every digest that the target answered for afterwards."""

    manifests: int
    blobs_copied: int
    blobs_mounted: int
    blobs_present: int
    bytes_copied: int
    referrers: int
    verified: tuple[Digest, ...]


def copy_artifact(
    source: Client,
    source_repository: str,
    digest: Digest,
    target: Client,
    target_repository: str,
    *,
    tags: Sequence[str] = (),
    mount_from: Sequence[str] = (),
    expected_tags: Mapping[str, Digest | None] | None = None,
    before_tag: Callable[[], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
    referrers: bool = True,
    workers: int = 4,
) -> CopyResult:
    """Copy everything reachable from `digest`, then set `tags`. Safe to run again after any end.

    `mount_from` are repositories of the target that may hold some blobs already. `expected_tags` says
    where tags must point before they are set (None: nowhere); TagMoved is raised otherwise, and no tag
    is touched. `before_tag` is called right before the first tag of any kind is set, and not when all are
    right already. Signatures under cosign's tags follow the source: a tag of theirs is moved. All callbacks run in the
    caller's thread. Besides that raises RegistryError: the target is then without the tag, never with
    a tag on something incomplete.
    """
    meter = Meter()
    tick = _Ticker(meter, on_progress, is_cancelled)
    with Crew(max(workers * 4, 1), tick) as crew:
        artifact = collect_artifact(source, source_repository, digest, crew, referrers=referrers)
        inside = (source_repository,) if target.is_same_registry(source) else ()
        candidates = [name for name in dict.fromkeys((*inside, *mount_from)) if name != target_repository]
        transfer = Transfer(
            source,
            source_repository,
            target,
            target_repository,
            candidates,
            meter,
            crew.should_stop,
            threading.BoundedSemaphore(max(workers, 1)),
        )
        copy = _Copy(artifact, transfer, crew, meter)
        result = copy.run()
        copy.set_tags(tags, expected_tags or {}, before_tag)
    meter.enter("done")
    tick.report()
    return result


class _Copy:
    """One run; each step leaves the target in a state from which the next run goes on."""

    def __init__(self, artifact: Artifact, transfer: Transfer, crew: Crew, meter: Meter) -> None:
        self._artifact, self._transfer, self._crew, self._meter = artifact, transfer, crew, meter
        self._target, self._repository = transfer.target, transfer.target_repository

    def run(self) -> CopyResult:
        manifests, blobs = self._artifact.all_manifests, self._artifact.blobs
        self._meter.enter("reading", manifests=len(manifests))
        held = self._crew.each(lambda m: has_manifest(self._target, self._repository, m.digest), manifests)
        absent = [manifest for manifest, is_held in zip(manifests, held, strict=True) if not is_held]
        self._meter.add(manifests=len(manifests) - len(absent))
        lacking = self._lacking(blobs)
        mounted = self._move(lacking)
        self._put(absent)
        self._read_back(absent, lacking)
        return CopyResult(
            manifests=len(absent),
            blobs_copied=len(lacking) - len(mounted),
            blobs_mounted=len(mounted),
            blobs_present=len(blobs) - len(lacking),
            bytes_copied=sum(blob.size for blob in lacking if blob.digest not in mounted),
            referrers=sum(len(wave) for wave in self._artifact.referrers),
            verified=(*(manifest.digest for manifest in manifests), *(blob.digest for blob in blobs)),
        )

    def set_tags(
        self, tags: Sequence[str], expected: Mapping[str, Digest | None], before: Callable[[], None] | None
    ) -> None:
        """All that is reached by name, after all that it names: lists of referrers, signatures, and the tags last."""
        self._crew.check()
        self._meter.enter("tags")
        root, by_digest = self._artifact.root, {m.digest: m for m in self._artifact.all_manifests}
        due = due_tags(self._target, self._repository, root, tags, expected)
        signatures = [
            (tag, by_digest[digest])
            for tag, digest in self._artifact.digest_tags.items()
            if digest in by_digest and due_tags(self._target, self._repository, by_digest[digest], [tag], {})
        ]
        unlisted = self._unlisted_referrers()
        if before is not None and (due or signatures or unlisted):
            before()
        for subject, referrers in unlisted.items():
            add_to_fallback(self._target, self._repository, subject, referrers)
        for tag, manifest in (*signatures, *((tag, root) for tag in due)):
            set_tag(self._target, self._repository, tag, manifest)

    def _lacking(self, blobs: Sequence[Descriptor]) -> list[Descriptor]:
        self._crew.check()
        states = self._crew.each(self._state, blobs)
        return [blob for blob, state in zip(blobs, states, strict=True) if state != "well"]

    def _state(self, blob: Descriptor) -> str:
        try:
            return blob_state(self._target, self._repository, blob)
        except Denied:
            return "missing"  # some registries say so of a repository that is not there yet

    def _move(self, lacking: Sequence[Descriptor]) -> set[Digest]:
        """Bring the blobs over; returns those that were mounted."""
        self._crew.check()
        self._meter.enter("blobs", blobs=len(lacking), size=sum(blob.size for blob in lacking))
        ways = self._crew.each(self._transfer.run, lacking)
        return {blob.digest for blob, way in zip(lacking, ways, strict=True) if way == "mounted"}

    def _put(self, absent: Sequence[Manifest]) -> None:
        self._meter.enter("manifests")
        wanted = {manifest.digest for manifest in absent}
        for wave in (*self._artifact.manifests, *self._artifact.referrers):
            self._crew.check()
            self._crew.each(self._put_one, [manifest for manifest in wave if manifest.digest in wanted])

    def _put_one(self, manifest: Manifest) -> None:
        try:
            self._target.put_manifest(self._repository, manifest.digest, manifest.raw, manifest.media_type)
        except RegistryError as error:
            if "MANIFEST_BLOB_UNKNOWN" not in error.codes:
                raise
            # Its blobs were there a moment ago: the registry collected garbage in between. Once more.
            for blob in blobs_of([manifest]):
                if self._state(blob) != "well":
                    self._transfer.run(blob)
            self._target.put_manifest(self._repository, manifest.digest, manifest.raw, manifest.media_type)
        self._meter.add(manifests=1)

    def _unlisted_referrers(self) -> dict[Digest, list[Descriptor]]:
        """Where the registry keeps no list of referrers, the fallback tag is ours to keep."""
        unlisted: dict[Digest, list[Descriptor]] = {}
        for subject, listed in self._artifact.referrer_lists.items():
            known = {descriptor.digest for descriptor in self._target.referrers(self._repository, subject)}
            if fresh := [descriptor for descriptor in listed if descriptor.digest not in known]:
                unlisted[subject] = fresh
        return unlisted

    def _read_back(self, put: Sequence[Manifest], moved: Sequence[Descriptor]) -> None:
        """What was there before has been read already; this asks for all that was sent."""
        self._crew.check()
        self._meter.enter("verifying")
        held = self._crew.each(lambda m: has_manifest(self._target, self._repository, m.digest), put)
        lost = [manifest.digest for manifest, is_held in zip(put, held, strict=True) if not is_held]
        lost += [blob.digest for blob in self._lacking(moved)]
        if lost:
            raise Incomplete(
                f"{self._target.label}: {self._repository}: after the copy {', '.join(lost[:3])} "
                f"{'and others ' if len(lost) > 3 else ''}could not be read back; no tag was set, run the copy again"
            )


class _Ticker:
    """Looks after the callbacks from the caller's thread: progress when it changed, and not too often."""

    def __init__(
        self,
        meter: Meter,
        on_progress: Callable[[Progress], None] | None,
        is_cancelled: Callable[[], bool] | None,
    ) -> None:
        self._meter, self._on_progress, self._is_cancelled = meter, on_progress, is_cancelled
        self._said: Progress | None = None
        self._next = 0.0

    def __call__(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + PROGRESS_SECONDS
        self.report()
        return self._is_cancelled is not None and self._is_cancelled()

    def report(self) -> None:
        progress = self._meter.read()
        if self._on_progress is not None and progress != self._said:
            self._said = progress
            self._on_progress(progress)
