"""Ask for a sync, say how well a registry is known, and accept that it was reset."""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.actor import Actor, system
from portal.audit.record import record
from portal.jobs.models import ENDED
from portal.jobs.queue import enqueue, job_fields
from registries.catalog.absence import missing_tags, remove_missing_tags
from registries.catalog.models import RegistrySyncState, Repository, SyncJob
from registries.topology.models import Registry

MAX_ATTEMPTS = 3


def request_sync(actor: Actor, registry: Registry, repository: str = "") -> SyncJob:
    """Order a sync of a registry, or of one repository of it; gives the open one when there is one."""
    try:
        with transaction.atomic():
            job = SyncJob.objects.create(
                registry=registry,
                repository_name=repository,
                max_attempts=MAX_ATTEMPTS,
                **job_fields(actor, registry),
            )
            if actor.kind != "system":
                record(actor, "sync.requested", registry, repository=repository)
            enqueue(job)
            return job
    except IntegrityError:
        open_job = (
            SyncJob.objects.exclude(state__in=ENDED).filter(registry=registry, repository_name=repository).first()
        )
        # It may have ended in this very moment; then there is room for a new one.
        return open_job or request_sync(actor, registry, repository)


def registry_state(registry: Registry) -> RegistrySyncState:
    """How well we know a registry; a fresh row when it was never read."""
    return RegistrySyncState.objects.get_or_create(registry=registry)[0]


def why_not_swept(registry: Registry) -> str:
    """Why a registry is never read as a whole, or nothing."""
    if registry.fronts_id is not None:
        return "It is a cache: asking it for its tags would pull all of them through from what it fronts."
    return ""


def request_due_syncs(now: datetime) -> int:
    """Order what is due, each registry at a moment of its own; how many."""
    if not settings.PORTAL_SYNC_SECONDS:
        return 0
    ordered = 0
    for registry in Registry.objects.filter(is_sync_enabled=True).exclude(sync_state__next_sync_at__gt=now):
        reason = why_not_swept(registry)
        with transaction.atomic():
            schedule_next(registry, now, failure_text=reason) if reason else schedule_next(registry, now)
            if not reason:
                request_sync(system("sync"), registry)
                ordered += 1
    return ordered


def schedule_next(registry: Registry, now: datetime, *, after_seconds: int | None = None, **fields: object) -> None:
    """Say when a registry is due again: the usual time, give or take a tenth, so that they do not all come at once."""
    seconds = after_seconds or settings.PORTAL_SYNC_SECONDS
    jitter = secrets.randbelow(max(1, seconds // 5)) - seconds // 10
    RegistrySyncState.objects.update_or_create(
        registry=registry, defaults={"next_sync_at": now + timedelta(seconds=seconds + jitter), **fields}
    )


def accept_disappearance(actor: Actor, registry: Registry) -> int:
    """The registry was reset on purpose: take out what the brake kept; how many tags went."""
    missing = missing_tags(Repository.objects.filter(registry=registry))
    repositories = Repository.objects.filter(pk__in=missing.values("repository"))
    removed = sum(remove_missing_tags(repository) for repository in repositories)
    with transaction.atomic():
        RegistrySyncState.objects.filter(registry=registry).update(braked_at=None, brake_text="")
        record(actor, "registry.disappearance_accepted", registry, tags=removed)
    return removed


def note_success(registry: Registry, *, is_complete: bool, failures: int, brake_text: str) -> None:
    """A list was read to its end."""
    now = timezone.now()
    fields: dict[str, object] = {"failed_at": None, "failure_text": ""}
    if failures:
        fields["failure_text"] = f"{failures} repositories could not be read."
    if is_complete:
        state = registry_state(registry)
        fields |= {"listed_at": now, "brake_text": brake_text}
        fields["braked_at"] = (state.braked_at or now) if brake_text else None
    RegistrySyncState.objects.update_or_create(registry=registry, defaults=fields)


def note_failure(registry: Registry, text: str) -> None:
    """A list could not be read; what we knew stays."""
    RegistrySyncState.objects.update_or_create(
        registry=registry, defaults={"failed_at": timezone.now(), "failure_text": text}
    )
