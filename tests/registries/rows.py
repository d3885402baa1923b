"""Rows that tests about registries start from, and runners that need no broker."""

from itertools import count
from typing import TypeVar

from django.utils import timezone

from portal.actor import Actor, system
from portal.jobs.models import Job
from portal.jobs.queue import job_fields
from portal.jobs.run import Claim, claim_job
from registries.catalog.models import SyncJob
from registries.topology.models import Reach, Registry, Zone, ZoneKind

J = TypeVar("J", bound=Job)
ALICE = Actor("user", "1", "alice")
_numbers = count(1)


def make_registry(
    name: str = "ci", url: str = "http://127.0.0.1:1", *, kind: ZoneKind = ZoneKind.CI_SNAPSHOTS, **fields: object
) -> Registry:
    """An observed registry in a zone of its kind; it needs no credential."""
    zone, _ = Zone.objects.get_or_create(name=str(kind), defaults={"kind": kind})
    values: dict[str, object] = {
        "zone": zone,
        "base_url": url,
        "host": f"{name}-{next(_numbers)}.example:5000",
        "service": f"{name}-{next(_numbers)}",
        "reach": Reach.OBSERVED,
        **fields,
    }
    return Registry.objects.create(name=name, **values)


def claimed_sync(registry: Registry, repository: str = "") -> Claim[SyncJob]:
    """A sync job in the hands of a runner."""
    job = SyncJob.objects.create(
        registry=registry, repository_name=repository, **job_fields(system("sync"), registry, run_at=timezone.now())
    )
    return claimed(job)


def claimed(job: J) -> Claim[J]:
    claim = claim_job(type(job), job.pk)
    assert claim is not None
    return claim
