"""Bring an upstream image in: resolve once, pin, copy by digest, present only when read back.

The job holds no worker while the copy runs: it comes back to look, and wherever it dies, it goes on from the rows."""

from contextlib import closing
from datetime import timedelta

from django.db import transaction

from portal.actor import system
from portal.audit.record import record
from portal.http.problem import Problem
from portal.jobs.models import ENDED, JobState
from portal.jobs.run import Claim, JobFailed, RetryLater, request_cancel
from portal.outbox.post import tell
from promotions.archive.models import ArchiveEntry, IntakeJob
from promotions.archive.pin import GoneUpstreamError, find_upstream, pin
from registries.access.connect import client_for
from registries.catalog.setbacks import heed_pause, retry_or_fail
from registries.copies.models import CopyJob
from registries.copies.order import order_copy
from registries.oci.client import Client
from registries.oci.errors import RegistryError
from registries.oci.scope import Scope

IMPORTER = system("importer")
LOOK_AGAIN = timedelta(seconds=2)


def run_intake(claim: Claim[IntakeJob]) -> None:
    """Handler of IntakeJob; every step looks at the rows first, so that it may run any number of times."""
    entry = ArchiveEntry.objects.select_related("upstream__zone", "archive__zone").get(pk=claim.job.entry_id)
    try:
        copy = _copy_of(claim, entry) or _begin(claim, entry)
        if copy.state not in ENDED:
            claim.progress(copy.progress_done, copy.progress_total, copy.progress_note, copy.progress_unit)
            raise RetryLater("copying", f"The copy {copy.pk} is {copy.state}.", after=LOOK_AGAIN, is_free=True)
        _settle(entry, copy)
    except JobFailed as failure:
        fail_entry(entry, failure.code, failure.text)
        raise


def _begin(claim: Claim[IntakeJob], entry: ArchiveEntry) -> CopyJob:
    heed_pause(entry.upstream)
    try:
        with closing(_upstream(entry)) as client:
            digest = find_upstream(client, entry)
    except GoneUpstreamError as gone:
        raise JobFailed(gone.code, gone.text) from gone
    except RegistryError as error:
        raise retry_or_fail(entry.upstream, error, claim.job.attempt) from error
    claim.check()
    try:
        pin(IMPORTER, entry, digest)
        return _order(claim, entry)
    except Problem as refusal:
        raise JobFailed(refusal.code, refusal.detail) from refusal


def _order(claim: Claim[IntakeJob], entry: ArchiveEntry) -> CopyJob:
    with transaction.atomic():
        copy = order_copy(
            IMPORTER,
            purpose=CopyJob.Purpose.ARCHIVE,
            principal="importer",
            source=entry.upstream,
            source_repository=entry.upstream_repository,
            digest=entry.digest,
            target=entry.archive,
            target_repository=entry.repository,
            tags=[entry.tag],
            # The name must be free in the archive, or hold this very digest already.
            expected_digests={entry.tag: ""},
            cause=claim.job,
        )
        ArchiveEntry.objects.filter(pk=entry.pk).update(copy_job=copy)
    return copy


def _copy_of(claim: Claim[IntakeJob], entry: ArchiveEntry) -> CopyJob | None:
    """The copy this very intake has ordered; one of an earlier intake says nothing about this one."""
    label, key = claim.job._meta.label_lower, str(claim.job.pk)
    return CopyJob.objects.filter(cause_label=label, cause_key=key, digest=entry.digest).order_by("-id").first()


def _settle(entry: ArchiveEntry, copy: CopyJob) -> None:
    if copy.state != JobState.DONE:
        raise JobFailed(copy.reason_code or "copy_failed", copy.reason_text or f"The copy {copy.pk} was {copy.state}.")
    if copy.verified_at is None:
        raise JobFailed("not_read_back", f"The copy {copy.pk} ended without having been read back.")
    with transaction.atomic():
        ArchiveEntry.objects.filter(pk=entry.pk).update(
            state=ArchiveEntry.State.PRESENT, reason_text="", imported_at=copy.verified_at
        )
        record(IMPORTER, "archiveentry.imported", entry, digest=str(entry.digest), copy_job=copy.pk)
        tell("archive.imported", f"{entry} is in {entry.archive}", payload=_payload(entry))


def fail_entry(entry: ArchiveEntry, code: str, text: str) -> None:
    """The entry says why it is not there; nothing of it is lost, and it can be imported again."""
    with transaction.atomic():
        is_new = ArchiveEntry.objects.filter(pk=entry.pk).exclude(state=ArchiveEntry.State.FAILED)
        if is_new.update(state=ArchiveEntry.State.FAILED, reason_text=text):
            record(IMPORTER, "archiveentry.failed", entry, code=code, reason=text)
            tell("archive.failed", f"{entry} could not be imported", body=text, payload=_payload(entry))


def stop_copy(entry: ArchiveEntry) -> None:
    """A cancelled intake takes its copy with it."""
    if entry.copy_job is not None and entry.copy_job.state not in ENDED:
        request_cancel(entry.copy_job)


def _payload(entry: ArchiveEntry) -> dict[str, str]:
    return {
        "upstream": f"{entry.upstream}/{entry.upstream_repository}:{entry.upstream_tag}",
        "archive": f"{entry.archive}/{entry.repository}:{entry.tag}",
        "digest": str(entry.digest),
    }


def _upstream(entry: ArchiveEntry) -> Client:
    return client_for(entry.upstream, "importer", [Scope.repository(entry.upstream_repository, "pull")])
