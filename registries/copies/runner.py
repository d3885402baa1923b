"""The handler of copy jobs: drives the copy engine, writes intents before the first tag, and records what arrived.

It may die anywhere and run again: what is there already is not sent again, a tag that is set already stays, and the catalog
takes the same facts twice."""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from django.utils import timezone

from portal.jobs.run import Claim, JobCancelled, JobFailed
from registries.access.connect import client_for
from registries.catalog.digest_tags import bare_tag
from registries.catalog.intents import declare_intent
from registries.catalog.models import Manifest, Repository, Tag, TagEvent
from registries.catalog.observe import record_artifact, record_placements, record_tag, repository_row
from registries.catalog.setbacks import heed_pause, retry_or_fail
from registries.catalog.store import batched
from registries.copies.models import CopyJob, CopyStep
from registries.oci.client import Client
from registries.oci.copy import CopyResult, copy_artifact
from registries.oci.digest import Digest
from registries.oci.errors import Cancelled, NotFound, RegistryError, TagMoved
from registries.oci.progress import Progress
from registries.oci.scope import Scope
from registries.oci.sizes import spell
from registries.topology.models import Registry

NOTES = {
    "reading": "reading what there is",
    "blobs": "carrying blobs",
    "manifests": "putting manifests",
    "verifying": "reading back",
    "tags": "setting tags",
    "done": "done",
}


def run_copy(claim: Claim[CopyJob]) -> None:
    """Copy, verify, tag, record."""
    job = claim.job
    for registry in (job.source, job.target):
        heed_pause(registry)
    try:
        with closing(_source(job)) as source, closing(_target(job)) as target:
            CopyRun(claim, source, target).run()
    except RegistryError as error:
        # The door was not opened: the work is not this principal's, or no adapter knows the make.
        raise JobFailed(error.code, str(error)) from error


def _source(job: CopyJob) -> Client:
    return client_for(job.source, job.principal, [Scope.repository(job.source_repository, "pull")])


def _target(job: CopyJob) -> Client:
    scopes = [Scope.repository(job.target_repository, "pull", "push")]
    if job.source_id == job.target_id and job.source_repository != job.target_repository:
        # Within one registry blobs are mounted from the source's repository.
        scopes.append(Scope.repository(job.source_repository, "pull"))
    return client_for(job.target, job.principal, scopes)


class CopyRun:
    """One attempt at one copy, its clients given."""

    def __init__(self, claim: Claim[CopyJob], source: Client, target: Client) -> None:
        self._claim, self._job, self._source, self._target = claim, claim.job, source, target
        self._digest = Digest.parse(claim.job.digest)
        self._phase = ""

    def run(self) -> None:
        """Raises what the job is to end with."""
        job = self._job
        self._step(
            f"Copy {job.digest} from {job.source}/{job.source_repository} to {job.target}/{job.target_repository}"
        )
        try:
            result = self._copy()
            self._record(result)
        except Cancelled as error:
            self._claim.check()
            raise JobCancelled(str(error)) from error
        except TagMoved as error:
            raise self._ended(JobFailed("target_tag_conflict", str(error))) from error
        except RegistryError as error:
            raise self._ended(self._setback(error)) from error

    def _copy(self) -> CopyResult:
        job = self._job
        return copy_artifact(
            self._source,
            job.source_repository,
            self._digest,
            self._target,
            job.target_repository,
            tags=job.tags,
            expected_tags={tag: Digest.parse(held) if held else None for tag, held in job.expected_digests.items()},
            before_tag=self._before_tag,
            on_progress=self._on_progress,
            is_cancelled=self._claim.is_cancelled,
            referrers=job.with_referrers,
        )

    def _before_tag(self) -> None:
        """The last moment to stop: still ours, not cancelled, and everybody can see what is about to happen."""
        self._claim.check()
        held = self._held_tags()
        for tag in self._job.tags:
            if held.get(tag) != self._digest:
                declare_intent(
                    self._job.target, self._job.target_repository, tag, held.get(tag), self._digest, self._job
                )
        self._claim.write(tagged_at=timezone.now())
        self._step(f"Everything was read back; set {', '.join(self._job.tags)}")

    def _held_tags(self) -> dict[str, Digest]:
        rows = Tag.objects.filter(
            repository__registry=self._job.target, repository__name=self._job.target_repository, name__in=self._job.tags
        )
        return {tag.name: tag.manifest.digest for tag in rows.select_related("manifest")}

    def _on_progress(self, progress: Progress) -> None:
        self._claim.progress(progress.bytes_done, progress.bytes_total or None, NOTES[progress.phase], "bytes")
        if progress.phase != self._phase and progress.phase == "blobs":
            self._step(f"{progress.blobs_total} blobs with {spell(progress.bytes_total)} are not there yet")
        self._phase = progress.phase

    def _record(self, result: CopyResult) -> None:
        """The catalog first: a copy is done when everybody can see it."""
        job, now = self._job, timezone.now()
        record_artifact(self._target, job.target, job.target_repository, self._digest, at=now)
        repository = repository_row(job.target, job.target_repository)
        record_placements(repository, _known_manifests(result.verified), at=now)
        for tag in job.tags:
            record_tag(repository, tag, self._digest, at=now, source=TagEvent.Source.JOB, actor_name=job.actor_name)
        if result.referrers:
            self._record_companions(repository, result)
        self._claim.write(
            **_figures(job, result), verified_at=now, tagged_at=job.tagged_at or (now if job.tags else None)
        )
        self._step(
            f"{len(result.verified)} digests answered; {result.blobs_copied} blobs carried, "
            f"{result.blobs_mounted} mounted, {result.blobs_present} were there"
        )

    def _record_companions(self, repository: Repository, result: CopyResult) -> None:
        """Tags by which signatures and other referrers are found; the engine sets them itself, before ours."""
        subjects = {digest.fallback_tag for digest in result.verified}
        for tag in self._target.tags(repository.name):
            head = self._target.head_manifest(repository.name, tag) if bare_tag(tag) in subjects else None
            if head is not None:
                now = timezone.now()
                record_artifact(self._target, self._job.target, repository.name, head.digest, at=now)
                record_tag(
                    repository, tag, head.digest, at=now, source=TagEvent.Source.JOB, actor_name=self._job.actor_name
                )

    def _setback(self, error: RegistryError) -> Exception:
        if isinstance(error, NotFound):
            job = self._job
            return JobFailed(
                "source_gone",
                f"{job.source}/{job.source_repository} does not hold all of {job.digest} any more. ({error})",
            )
        return retry_or_fail(self._registry_of(error), error, self._job.attempt)

    def _registry_of(self, error: RegistryError) -> Registry:
        """Sentences begin with the registry they are about."""
        is_source = str(error).startswith(self._source.label) and self._source.label != self._target.label
        return self._job.source if is_source else self._job.target

    def _ended(self, error: Exception) -> Exception:
        self._step(str(error))
        return error

    def _step(self, text: str) -> None:
        CopyStep.objects.create(job=self._job, attempt=self._job.attempt, text=text[:500])


def _figures(job: CopyJob, result: CopyResult) -> dict[str, Any]:
    """What all attempts did together; the last one alone may have found everything there."""
    return {
        "manifests_copied": job.manifests_copied + result.manifests,
        "blobs_copied": job.blobs_copied + result.blobs_copied,
        "blobs_mounted": job.blobs_mounted + result.blobs_mounted,
        "blobs_present": result.blobs_present,
        "bytes_copied": job.bytes_copied + result.bytes_copied,
        "verified_digests": len(result.verified),
    }


def _known_manifests(digests: Sequence[Digest]) -> list[Digest]:
    """Those of manifests and blobs that are manifests we have rows of: referrers among them."""
    rows = (Manifest.objects.filter(digest__in=some).values_list("digest", flat=True) for some in batched(digests))
    return [Digest.parse(digest) for found in rows for digest in found]
