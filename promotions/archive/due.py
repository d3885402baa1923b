"""Which entries have nobody at work on them? Starts what waits, tries again what may work now, and says of the rest why not."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from promotions.archive.entries import OPEN, start_intake
from promotions.archive.intake import IMPORTER, fail_entry, stop_copy
from promotions.archive.models import ArchiveEntry, IntakeJob

TRY_AGAIN_AFTER = timedelta(hours=1)
# Only a person can put these right.
FINAL = frozenset(
    {"vanished_upstream", "missing_upstream", "target_tag_conflict", "cancelled", "denied", "unauthorized"}
)
State = ArchiveEntry.State


def intake_due(now: datetime | None = None) -> int:
    """One round over the entries that no open intake speaks for; how many intakes were started."""
    now = now or timezone.now()
    return sum(_look_at(entry, now) for entry in left_alone()[:100])


def left_alone() -> QuerySet[ArchiveEntry]:
    """Entries that are not there and that nobody works on."""
    at_work = IntakeJob.objects.filter(entry=OuterRef("pk"), state__in=OPEN)
    rows = ArchiveEntry.objects.exclude(state=State.PRESENT).exclude(Exists(at_work))
    return rows.select_related("upstream", "archive", "copy_job").order_by("pk")


def _look_at(entry: ArchiveEntry, now: datetime) -> bool:
    last = IntakeJob.objects.filter(entry=entry).order_by("-id").first()
    if last is not None and entry.state != State.FAILED:
        # The intake was cancelled or given up, which only its own row knows so far.
        stop_copy(entry)
        fail_entry(entry, last.reason_code, last.reason_text or f"The intake was {last.state}.")
        return False
    if last is not None and not _may_work_now(last, now):
        return False
    start_intake(IMPORTER, entry)
    return True


def _may_work_now(last: IntakeJob, now: datetime) -> bool:
    ended_at = last.finished_at or last.created_at
    return last.reason_code not in FINAL and now - ended_at >= TRY_AGAIN_AFTER
