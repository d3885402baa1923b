"""What the clock asks of access."""

from celery import shared_task
from django.utils import timezone

from registries.access.asking import endings
from registries.access.counts.tally import tally
from registries.access.counts.tally_rows import forget_old
from registries.access.credential.warn import warn_of_ends
from registries.access.keyless.federation import forget_old_exchanges
from registries.access.naming_rules.namespaces import forget_old_quarantines
from registries.access.reviewing import review_reminder


@shared_task(name="registries.access.mind_grants")
def mind_grants() -> int:
    """Tell of grants that end soon, let requests lapse that nobody decided, and drop rules that ended long ago."""
    return endings.mind_grants(timezone.now())


@shared_task(name="registries.access.remind_reviewers")
def remind_reviewers() -> int:
    """Once a quarter, those who have grants to look at."""
    return review_reminder.remind_reviewers(timezone.now())


@shared_task(name="registries.access.flush_counters")
def flush_counters() -> int:
    """Write down what was counted in this process, and forget denials that nobody met for long, old counts, identity tokens that are past, and
    quarantines of names that are long over."""
    forget_old()
    forget_old_quarantines(timezone.now())
    forget_old_exchanges(timezone.now())
    return tally.flush()


@shared_task(name="registries.access.warn_of_ends")
def warn() -> int:
    """Tell people whose credentials end soon; each of them once for each of the thresholds."""
    return warn_of_ends(timezone.now())
