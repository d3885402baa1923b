"""What stories about cleanup tell: sync, age, plan, execute, look at what is left."""

from datetime import timedelta

from django.utils import timezone

from portal.jobs.run import run_job
from portal.users.models import User
from registries.catalog.models import SyncJob, Tag
from registries.catalog.sync import request_sync
from registries.oci.client import Client
from registries.retention.models import CleanupJob, Plan, RetentionPolicy
from registries.retention.operations import execute_plan, request_plan
from registries.topology.models import Registry
from tests.registries.rows import ALICE


def sync(registry: Registry) -> None:
    job = run_job(SyncJob, request_sync(ALICE, registry).pk)
    assert job is not None
    assert job.state == "done", job.reason_text


def age(registry: Registry, *names: str, days: int = 30) -> None:
    """As if these tags had been pushed long ago."""
    moved_at = timezone.now() - timedelta(days=days)
    assert Tag.objects.filter(repository__registry=registry, name__in=names).update(moved_at=moved_at)


def week(registry: Registry, **fields: object) -> RetentionPolicy:
    values: dict[str, object] = {"name": "week", "zone": registry.zone, "older_than_seconds": 7 * 86_400, **fields}
    return RetentionPolicy.objects.create(**values)


def planned(registry: Registry) -> Plan:
    """A plan that was made."""
    plan = request_plan(ALICE, registry)
    run_open_job(plan)
    plan.refresh_from_db()
    return plan


def executed(plan: Plan, user: User) -> Plan:
    execute_plan(user.actor, user, plan)
    run_open_job(plan)
    plan.refresh_from_db()
    return plan


def run_open_job(plan: Plan) -> CleanupJob:
    job = plan.jobs.filter(state="queued").get()
    CleanupJob.objects.filter(pk=job.pk).update(next_run_at=timezone.now())
    ended = run_job(CleanupJob, job.pk)
    assert ended is not None
    return ended


def decisions(plan: Plan) -> dict[str, str]:
    return {f"{item.repository}:{item.tag}": item.decision for item in plan.items.all()}


def outcomes(plan: Plan) -> dict[str, str]:
    return {f"{item.repository}:{item.tag}": item.outcome for item in plan.items.all()}


def tags_at(client: Client, *repositories: str) -> dict[str, str]:
    """What really is there."""
    found = {}
    for repository in repositories:
        for tag in client.tags(repository):
            head = client.head_manifest(repository, tag)
            assert head is not None
            found[f"{repository}:{tag}"] = str(head.digest)
    return found
