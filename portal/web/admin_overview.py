"""What waits for me, what is wrong, what runs, where do I go? The first page of the admin, from rows alone.

A tile counts with the very filters that its link carries, so that the list behind it shows as many rows as the tile says."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from portal.audit.models import AuditEvent, AuditSeal
from portal.jobs.kinds import job_models
from portal.jobs.models import Job, JobState
from portal.outbox.models import Message
from portal.panels import panels_for
from portal.users.models import User
from portal.web.admin_sections import SECTIONS
from portal.web.attention import trouble_rows
from portal.web.map_model import State
from promotions.archive.models import ArchiveEntry
from promotions.replication.models import Delivery
from promotions.workflow.models import PromotionRequest, RequestState
from promotions.workflow.queries import waiting_for
from registries.access.counts.record_models import Denial
from registries.access.models import PersonalToken, Secret
from registries.catalog.models import RegistrySyncState
from registries.retention.models import Plan
from registries.topology.models import Registry, RegistryHealth

DAY = timedelta(days=1)
SOON = timedelta(days=14)
SEALED_WITHIN = timedelta(minutes=1)
TAIL_AT_MOST = 1000  # a longer tail is counted no further
LATEST = 10


@dataclass(frozen=True, slots=True)
class Tile:
    """A number, what it counts, and where to look. ``state`` is that of the number being what it is."""

    title: str
    count: int
    state: State
    line: str
    url: str


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of job: what waits, runs, and failed within the last day."""

    title: str
    url: str
    queued: int
    running: int
    failed: int
    failed_url: str


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The theme's hook: what the template of the first page gets besides."""
    user, now = request.user, timezone.now()
    if not isinstance(user, User):
        return context
    own = {
        "waiting_tiles": list(_waiting(user, now)),
        "inbox_panels": panels_for("inbox", user),
        "wrong_tiles": list(_wrong(now)),
        "troubles": trouble_rows(user),
        "attention_panels": panels_for("attention", user),
        "jobs": [_job_kind(model, now) for model in job_models()],
        "latest": list(AuditEvent.objects.order_by("-id")[:LATEST]),
        "sections": SECTIONS,
    }
    return context | own


def _waiting(user: User, now: datetime) -> Iterable[Tile]:
    requests = f"{_list_of(PromotionRequest)}?inbox=waiting"
    waiting = waiting_for(user).count()
    yield Tile("For my decision", waiting, _if_any(waiting, "attention"), "promotions that wait for you", requests)
    undecided = {"state__exact": RequestState.AWAITING_APPROVAL.value}
    yield _tile("To be decided", PromotionRequest, undecided, "attention", "promotions, by whom it may be")
    ready = {"state__exact": Plan.State.READY.value, "is_preview__exact": "0"}
    yield _tile("Cleanup plans", Plan, ready, "attention", "ready to be looked at")
    due = {"review_on__lte": f"{(now + SOON).date()}"}
    yield _tile("Archive reviews", ArchiveEntry, due, "attention", "due within 14 days")
    ending = {
        "expires_at__gte": _midnight(now),
        "expires_at__lt": _midnight(now + SOON),
        "revoked_at__isnull": "True",
    }
    yield _tile("Robot secrets", Secret, ending, "attention", "end within 14 days")
    yield _tile("Personal tokens", PersonalToken, ending, "attention", "end within 14 days")


def _wrong(now: datetime) -> Iterable[Tile]:
    troubled = {"health__state__in": f"{RegistryHealth.State.ATTENTION},{RegistryHealth.State.BROKEN}"}
    yield _tile("Registries", Registry, troubled, "broken", "not well")
    braked = {"braked_at__isnull": "False"}
    yield _tile("Brakes", RegistrySyncState, braked, "broken", "on registries that lost too much")
    blocked = {"state__exact": RequestState.BLOCKED.value}
    yield _tile("Promotions blocked", PromotionRequest, blocked, "attention", "a gate says no")
    failed = {"state__exact": RequestState.FAILED.value}
    yield _tile("Promotions failed", PromotionRequest, failed, "broken", "approved, and not carried out")
    absent = ",".join((Delivery.State.PENDING, Delivery.State.COPYING, Delivery.State.FAILED))
    yield _tile("Deliveries", Delivery, {"state__in": absent}, "attention", "not at their target yet")
    yield _tile(
        "Archive entries", ArchiveEntry, {"state__exact": ArchiveEntry.State.FAILED.value}, "broken", "not imported"
    )
    yield _tile("Messages", Message, {"state__exact": Message.State.FAILED.value}, "broken", "could not be delivered")
    yield _tile("Refusals", Denial, {"last_at__gte": _midnight(now - DAY)}, "unknown", "since yesterday")
    yield _unsealed(now)


def _tile(title: str, model: type[models.Model], filters: dict[str, str], state: State, line: str) -> Tile:
    count = model._default_manager.filter(**{name: _value(name, text) for name, text in filters.items()}).count()
    return Tile(title, count, _if_any(count, state), line, f"{_list_of(model)}?{urlencode(filters)}")


def _midnight(moment: datetime) -> str:
    """The day's beginning, as the lists' own filters spell it."""
    return str(moment.replace(hour=0, minute=0, second=0, microsecond=0))


def _value(name: str, text: str) -> Any:
    """What a list of the admin makes of a filter in its address."""
    if name.endswith("__in"):
        return text.split(",")
    return text == "True" if name.endswith("__isnull") else text


def _if_any(count: int, state: State) -> State:
    return state if count else "well"


def _list_of(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def _unsealed(now: datetime) -> Tile:
    """Events are sealed every few seconds; only a tail that stays is worth a word."""
    last = AuditSeal.objects.order_by("-sequence").values_list("event_id", flat=True).first() or 0
    tail = AuditEvent.objects.filter(id__gt=last).order_by("id")
    times = list(tail.values_list("at", flat=True)[:TAIL_AT_MOST])
    is_late = bool(times) and now - times[0] > SEALED_WITHIN
    line = "not sealed for more than a minute" if is_late else "not sealed yet"
    return Tile("Audit events", len(times), "broken" if is_late else "well", line, _list_of(AuditSeal))


def _job_kind(model: type[Job], now: datetime) -> JobKind:
    since = {"state__exact": JobState.FAILED.value, "finished_at__gte": _midnight(now - DAY)}
    counts = model._default_manager.aggregate(
        queued=Count("pk", filter=Q(state=JobState.QUEUED)),
        running=Count("pk", filter=Q(state=JobState.RUNNING)),
        failed=Count("pk", filter=Q(**since)),
    )
    url = _list_of(model)
    return JobKind(str(model._meta.verbose_name_plural), url, failed_url=f"{url}?{urlencode(since)}", **counts)
