"""Which deliveries are due, and what became of those that were sent?"""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from django.db import transaction
from django.db.models import Q, QuerySet

from portal.actor import system
from portal.audit.record import record
from portal.http.problem import Problem
from portal.jobs.models import ENDED, JobState
from portal.outbox.post import tell
from promotions.replication.match import pause_after
from promotions.replication.models import Delivery, ReplicationRule
from registries.catalog.models import Tag
from registries.copies.models import CopyJob
from registries.copies.order import order_copy

REPLICATOR = system("replicator")
COPIES_AT_ONCE = 20
TELL_AT = 3
State = Delivery.State


def send_due(rule: ReplicationRule, now: datetime) -> int:
    """Order copies for what waits, one per artifact with all its tags, up to so many at once; how many."""
    under_way = Delivery.objects.filter(rule=rule, state=State.COPYING).values("copy_job").distinct().count()
    sent = 0
    for rows in _by_artifact(_due(rule, now)):
        if under_way + sent >= COPIES_AT_ONCE:
            break
        sent += send(rule, rows, now)
    return sent


def _due(rule: ReplicationRule, now: datetime) -> Iterable[Delivery]:
    """The oldest wishes first; a few hundred at a time are more than can be under way."""
    waiting = Q(state=State.PENDING, next_try_at=None) | Q(
        state__in=[State.PENDING, State.FAILED], next_try_at__lte=now
    )
    return Delivery.objects.filter(waiting, rule=rule).order_by("wanted_at", "id")[:300]


def _by_artifact(rows: Iterable[Delivery]) -> Iterable[list[Delivery]]:
    ordered = sorted(rows, key=lambda row: (row.wanted_at, row.repository, row.digest))
    return [list(group) for _, group in groupby(ordered, key=lambda row: (row.wanted_at, row.repository, row.digest))]


def send(rule: ReplicationRule, rows: list[Delivery], now: datetime) -> int:
    """One copy job for one artifact; 0 when another worker was first or it could not be ordered."""
    repository, digest = rows[0].repository, rows[0].digest
    pks = [row.pk for row in rows]
    try:
        with transaction.atomic():
            free = Delivery.objects.select_for_update().filter(
                pk__in=pks, digest=digest, state__in=[State.PENDING, State.FAILED]
            )
            mine = list(free)
            if not mine:
                return 0
            job = _order(rule, mine[0], [row.tag for row in mine])
            Delivery.objects.filter(pk__in=[row.pk for row in mine]).update(
                state=State.COPYING, copy_job=job, reason_text=""
            )
    except Problem as refusal:
        _fail(rows, f"{repository}@{digest} could not be sent: {refusal.detail}", now)
        return 0
    return 1


def _order(rule: ReplicationRule, cause: Delivery, tags: list[str]) -> CopyJob:
    return order_copy(
        REPLICATOR,
        purpose=CopyJob.Purpose.REPLICATION,
        principal="replicator",
        source=rule.source,
        source_repository=cause.repository,
        digest=cause.digest,
        target=rule.target,
        target_repository=cause.repository,
        tags=tags,
        # A tag of a replica follows its primary, wherever it stands now: nothing is expected of it.
        expected_digests={},
        cause=cause,
    )


def settle_sent(now: datetime) -> int:
    """Look at copies that have ended; how many deliveries are present by now that were not."""
    ended = Q(copy_job=None) | Q(copy_job__state__in=ENDED)
    rows = Delivery.objects.filter(ended, state=State.COPYING).select_related("copy_job", "rule__target")
    return sum(settle(delivery, now) for delivery in rows.order_by("id")[:500])


def settle(delivery: Delivery, now: datetime) -> bool:
    """Present only when the copy was read back, and when it is the digest that is still wanted."""
    job = delivery.copy_job
    if job is None or job.digest != delivery.digest:
        _still(delivery).update(state=State.PENDING, copy_job=None, reason_text="", next_try_at=None)
        return False
    if job.state != JobState.DONE and not _is_wanted(delivery):
        _still(delivery).delete()  # the tag went at the source meanwhile: nothing came of it, and nobody waits
        return False
    if job.state != JobState.DONE:
        _fail([delivery], job.reason_text or f"The copy was {job.get_state_display()}.", now)
        return False
    if job.verified_at is None:
        _fail([delivery], "The copy ended without having been read back.", now)
        return False
    return _mark_present(delivery, job)


def _mark_present(delivery: Delivery, job: CopyJob) -> bool:
    with transaction.atomic():
        changed = _still(delivery).update(
            state=State.PRESENT, verified_at=job.verified_at, attempts=0, next_try_at=None
        )
        if changed:
            record(REPLICATOR, "delivery.verified", delivery, digest=str(delivery.digest), copy_job=job.pk)
        return bool(changed)


def _is_wanted(delivery: Delivery) -> bool:
    here = Tag.objects.filter(repository__registry=delivery.rule.source_id, repository__name=delivery.repository)
    return here.filter(name=delivery.tag).exists()


def _still(delivery: Delivery) -> QuerySet[Delivery]:
    """The row, if nobody has changed since what is to be done with it."""
    return Delivery.objects.filter(
        pk=delivery.pk, state=delivery.state, digest=delivery.digest, copy_job=delivery.copy_job_id
    )


def _fail(rows: Iterable[Delivery], text: str, now: datetime) -> None:
    """With the reason, and to be tried again: replication never gives up silently."""
    for delivery in rows:
        attempts = delivery.attempts + 1
        with transaction.atomic():
            changed = _still(delivery).update(
                state=State.FAILED, reason_text=text, attempts=attempts, next_try_at=now + pause_after(attempts)
            )
            if changed and attempts in (1, TELL_AT):
                record(REPLICATOR, "delivery.failed", delivery, attempts=attempts, reason=text)
            if changed and attempts == TELL_AT:
                _tell(delivery, text)


def _tell(delivery: Delivery, text: str) -> None:
    payload = {
        "registry": delivery.rule.target.name,
        "repository": delivery.repository,
        "tag": delivery.tag,
        "digest": str(delivery.digest),
        "reason": text,
    }
    title = f"{delivery} has failed {TELL_AT} times; it is tried again"
    tell("replication.delayed", title, body=text, payload=payload)
