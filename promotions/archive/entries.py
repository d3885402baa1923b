"""Keep an upstream image, and import it again where that failed."""

from django.db import transaction
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.http.problem import Problem
from portal.jobs.models import JobState
from portal.jobs.queue import enqueue, job_fields
from portal.jobs.run import request_cancel
from promotions.archive.models import ArchiveEntry, IntakeJob
from promotions.archive.pin import hold_entry
from registries.catalog.holds import release_holds

OPEN = (JobState.QUEUED, JobState.RUNNING)


def add_entry(actor: Actor, entry: ArchiveEntry) -> ArchiveEntry:
    """Save a new entry and start its intake. A digest given with it is the pin; else the tag is resolved once.

    Raises ValidationError for what may not be archived so."""
    entry.state = ArchiveEntry.State.WAITING
    entry.pinned_at = timezone.now() if entry.digest else None
    entry.full_clean()
    with transaction.atomic():
        entry.save(force_insert=True)
        if entry.digest:
            hold_entry(entry)
        record(
            actor,
            "archiveentry.created",
            entry,
            upstream=f"{entry.upstream}/{entry.upstream_repository}:{entry.upstream_tag}",
            archive=f"{entry.archive}/{entry.repository}:{entry.tag}",
            digest=str(entry.digest),
            reason=entry.reason,
        )
        start_intake(actor, entry)
    return entry


def start_intake(actor: Actor, entry: ArchiveEntry) -> IntakeJob:
    """Import an entry, or give the intake that is at it already. Raises Problem 409 ``already_present``."""
    with transaction.atomic():
        # The row's lock makes two who ask at once get the same job.
        row = ArchiveEntry.objects.select_for_update(of=("self",)).get(pk=entry.pk)
        known = IntakeJob.objects.filter(entry=row, state__in=OPEN).first()
        if known is not None:
            return known
        if row.state == ArchiveEntry.State.PRESENT:
            raise Problem(409, "already_present", f"{row} is in {row.archive} already, as {row.digest}.")
        ArchiveEntry.objects.filter(pk=row.pk).update(state=ArchiveEntry.State.IMPORTING, reason_text="")
        entry.state, entry.reason_text = ArchiveEntry.State.IMPORTING, ""
        job = IntakeJob.objects.create(entry=row, **job_fields(actor, row))
        record(actor, "archiveentry.intake_started", row, job=job.pk)
        enqueue(job)
    return job


def let_go(entry: ArchiveEntry) -> None:
    """Before an entry is deleted: nothing is held on its behalf any more, and nothing is on its way for it.

    Inside the caller's transaction. What was imported stays where it is; only a cleanup plan deletes."""
    if entry.copy_job is not None and not entry.copy_job.is_ended:
        request_cancel(entry.copy_job)
    release_holds(entry)
