"""What is due for any request? Asked every few seconds and whenever something happened; every step is conditional."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from portal.actor import system
from portal.audit.record import record
from portal.jobs.models import ENDED, JobState
from portal.jobs.queue import enqueue
from portal.outbox.post import tell
from promotions.workflow.execute import PIPELINE, give_up, start_execution
from promotions.workflow.models import Execution, PromotionRequest, RequestState
from promotions.workflow.queries import latest_execution
from promotions.workflow.regions import Region, wanted_regions
from promotions.workflow.states import UNDECIDED
from promotions.workflow.transition import Conflict, locked, transition

CLOCK = system("portal")


def advance(now: datetime | None = None) -> int:
    """Expire, start, follow, give up, complete; how many requests moved."""
    now = now or timezone.now()
    steps: list[tuple[Callable[[PromotionRequest], bool], Iterable[PromotionRequest]]] = [
        (_expire, _rows(state__in=UNDECIDED, expires_at__lte=now)),
        (_start, _rows(state=RequestState.READY, expires_at__gt=now)),
        (_follow, _rows(state=RequestState.EXECUTING)),
        (_complete, _rows(state=RequestState.PROMOTED)),
    ]
    return sum(_try(step, request) for step, rows in steps for request in rows)


def _rows(**conditions: object) -> Iterable[PromotionRequest]:
    rows = PromotionRequest.objects.filter(Q(**conditions)).select_related("path__source", "path__target")
    return rows.order_by("id")


def _try(step: Callable[[PromotionRequest], bool], request: PromotionRequest) -> bool:
    try:
        return step(request)
    except Conflict:
        return False  # somebody else was first


def _expire(request: PromotionRequest) -> bool:
    text = (
        f"Nobody decided in time; it waited since {request.created_at:%d %B %Y %H:%M} UTC. It can be asked for again."
    )
    transition(request, RequestState.EXPIRED, actor=CLOCK, expect=UNDECIDED, code="expired", text=text)
    return True


def _start(request: PromotionRequest) -> bool:
    if Execution.objects.filter(request=request).exclude(state__in=ENDED).exists():
        return False  # the last try has gone back and is about to end
    start_execution(request)
    return True


def _follow(request: PromotionRequest) -> bool:
    """Call the execution whose copy has ended; give up where the execution itself has ended."""
    execution = latest_execution(request)
    if execution is None:
        return False
    if execution.is_ended:
        return give_up(execution)
    waits = Execution.objects.filter(pk=execution.pk, state=JobState.QUEUED, next_run_at__gt=timezone.now())
    has_news = execution.copy_job is None or execution.copy_job.is_ended
    if has_news and execution.reason_code == "copying" and waits.update(next_run_at=timezone.now()):
        enqueue(execution)
    return False


def _complete(request: PromotionRequest) -> bool:
    item = request.items.get()
    regions = wanted_regions(request, item)
    _mark_degraded(request, [region for region in regions if region.is_broken])
    if not all(region.is_there for region in regions):
        return False
    names = ", ".join(dict.fromkeys(region.registry.name for region in regions))
    text = f"Read back from {names}." if names else "No region has to follow."
    now = timezone.now()
    expect = {RequestState.PROMOTED}
    transition(request, RequestState.COMPLETED, actor=PIPELINE, expect=expect, text=text, completed_at=now)
    return True


def _mark_degraded(request: PromotionRequest, broken: list[Region]) -> None:
    """Said once when it begins and once when it is over; replication goes on trying."""
    if request.is_degraded == bool(broken):
        return
    with transaction.atomic():
        row = locked(request)
        if row.is_degraded == bool(broken) or row.state != RequestState.PROMOTED:
            return
        row.is_degraded = bool(broken)
        row.save(update_fields=["is_degraded"])
        names = ", ".join(dict.fromkeys(region.registry.name for region in broken))
        verb = "promotion.degraded" if broken else "promotion.recovered"
        record(CLOCK, verb, row, regions=names)
        title = f"{row.public_id}: {f'not in {names}' if broken else 'every region follows again'}"
        tell(verb, title, people=[row.on_behalf_of], payload={"id": row.public_id, "regions": names})
