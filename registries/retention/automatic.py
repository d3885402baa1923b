"""Plans by the clock, for policies that say so; and plans whose job ended without them."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from portal.actor import system
from portal.jobs.models import ENDED
from registries.retention.items import finish_plan
from registries.retention.models import CleanupJob, Plan, RetentionPolicy
from registries.retention.operations import execute_plan, request_plan, why_not_executable
from registries.topology.models import Registry

CLEANER = system("cleaner")
PLAN_EVERY = timedelta(days=1)


def request_due_plans(now: datetime) -> int:
    """Make plans for registries that an automatic policy speaks of and that have cleanup switched on; how many."""
    due = RetentionPolicy.objects.filter(is_enabled=True, is_automatic=True)
    due = due.filter(Q(next_plan_at=None) | Q(next_plan_at__lte=now))
    with transaction.atomic():
        policies = list(due)
        RetentionPolicy.objects.filter(pk__in=[policy.pk for policy in policies]).update(next_plan_at=now + PLAN_EVERY)
        registries = {registry.pk: registry for policy in policies for registry in _registries_of(policy)}
        for registry in registries.values():
            request_plan(CLEANER, registry, is_automatic=True)
    return len(registries)


def _registries_of(policy: RetentionPolicy) -> list[Registry]:
    rows = Registry.objects.filter(is_retention_enabled=True)
    if policy.registry_id is not None:
        rows = rows.filter(pk=policy.registry_id)
    elif policy.zone_id is not None:
        rows = rows.filter(zone=policy.zone_id)
    return list(rows)


def execute_ready_plans() -> int:
    """Execute automatic plans that may be executed; how many."""
    ready = Plan.objects.filter(state=Plan.State.READY, is_automatic=True).select_related("registry")
    started = 0
    for plan in ready:
        if why_not_executable(plan):
            Plan.objects.filter(pk=plan.pk, state=Plan.State.READY).update(
                state=Plan.State.DONE if not plan.delete_count else Plan.State.STALE,
                reason_text=why_not_executable(plan),
            )
        else:
            execute_plan(CLEANER, None, plan)
            started += 1
    return started


def settle_left_plans() -> int:
    """Plans whose job was cancelled or gave up before it could say so; how many."""
    open_jobs = CleanupJob.objects.exclude(state__in=ENDED).values("plan")
    left = Plan.objects.filter(state__in=[Plan.State.PLANNING, Plan.State.EXECUTING]).exclude(pk__in=open_jobs)
    for plan in left:
        job = plan.jobs.exclude(step=CleanupJob.Step.RESTORE).order_by("-id").first()
        finish_plan(plan, Plan.State.STOPPED, job.reason_text if job else "Its job is gone.", CLEANER)
    return len(left)
