"""Ask each registry, as a stranger would, whether it is well."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.jobs.queue import wake
from registries.adapters import Health, probe
from registries.topology.models import Registry, RegistryHealth

SLOW_MS = 2000


def judge(health: Health) -> str:
    """Pure: the state to show for a probe's answer."""
    if not health.is_up:
        return RegistryHealth.State.BROKEN
    return RegistryHealth.State.ATTENTION if health.latency_ms > SLOW_MS else RegistryHealth.State.WELL


def probe_due(now: datetime | None = None) -> int:
    """Probe the registries whose last answer is older than PORTAL_HEALTH_SECONDS; how many."""
    now = now or timezone.now()
    # A registry that was well is asked at leisure, one in trouble as often as the clock ticks.
    old = Q(health__checked_at__isnull=True)  # nor if there is no health at all
    old |= Q(health__checked_at__lt=now - timedelta(seconds=settings.PORTAL_HEALTH_SECONDS))
    return probe_all(Registry.objects.filter(old | ~Q(health__state=RegistryHealth.State.WELL)))


def probe_soon(registries: QuerySet[Registry]) -> int:
    """Make the next probe of these registries due now, and wake the prober; how many."""
    RegistryHealth.objects.filter(registry__in=registries).update(checked_at=None)
    wake("registries.topology.probe")
    return registries.count()


def probe_all(registries: Iterable[Registry]) -> int:
    """Probe these registries side by side and write down what each answered."""
    rows = list(registries)
    if not rows:
        return 0
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(_probe, rows))
    for registry, health in zip(rows, answers, strict=True):
        note_health(registry, health, timezone.now())
    return len(rows)


def _probe(registry: Registry) -> Health:
    return probe(
        registry.base_url, name=registry.name, verify_tls=registry.verify_tls, ca_bundle=registry.ca_bundle or None
    )


def note_health(registry: Registry, health: Health, now: datetime) -> RegistryHealth:
    """Keep the answer, and since when the state has been what it is."""
    state = judge(health)
    with transaction.atomic():
        known = RegistryHealth.objects.filter(registry=registry).first()
        since = known.since if known and known.state == state else now
        row, _ = RegistryHealth.objects.update_or_create(
            registry=registry,
            defaults={
                "state": state,
                "message": health.message[:500],
                "latency_ms": health.latency_ms,
                "checked_at": now,
                "since": since,
            },
        )
    return row
