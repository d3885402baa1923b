"""Ask for a plan, execute it, stop it, put a tag back. Whoever asks, the rules of plans stand here."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.http.problem import Problem
from portal.jobs.models import ENDED
from portal.jobs.queue import enqueue, job_fields
from portal.jobs.run import request_cancel
from portal.users.models import Membership, Role, User
from registries.retention.items import finish_plan
from registries.retention.models import CleanupJob, Plan, PlanItem
from registries.topology.models import Registry

MAX_PLAN_AGE = timedelta(hours=24)


def request_plan(actor: Actor, registry: Registry, *, is_automatic: bool = False) -> Plan:
    """Have the policies evaluated over a registry; the plan is ready to be looked at soon after."""
    with transaction.atomic():
        plan = Plan.objects.create(registry=registry, created_by=actor.name, is_automatic=is_automatic)
        job = CleanupJob.objects.create(plan=plan, step=CleanupJob.Step.PLAN, **job_fields(actor, plan))
        record(actor, "plan.requested", plan)
        enqueue(job)
    return plan


def may_execute(user: User, registry: Registry) -> bool:
    """Platform admins, and maintainers of the team that owns the registry."""
    if user.has_role(Role.PLATFORM_ADMIN):
        return True
    maintains = Membership.objects.filter(team=registry.owner_id, user=user, role=Membership.TeamRole.MAINTAINER)
    return user.is_active and registry.owner_id is not None and maintains.exists()


def why_not_executable(plan: Plan) -> str:
    """Why a plan must not be executed as it is, or nothing."""
    if plan.state != Plan.State.READY:
        return f"The {plan} is {plan.state}; only one that is ready can be executed. {plan.reason_text}".strip()
    if plan.is_preview or not plan.registry.is_retention_enabled:
        return f"Cleanup is switched off at {plan.registry}, so this plan is a preview. Switch it on there, and make another plan."
    if timezone.now() - plan.created_at > MAX_PLAN_AGE:
        return "The plan is more than a day old; make another one."
    if not plan.delete_count:
        return "The plan lets nothing go."
    return ""


def execute_plan(actor: Actor, user: User | None, plan: Plan) -> CleanupJob:
    """Let the tags of a plan go. ``user`` is None only for automatic plans, which no person executes.

    Raises Problem 403 ``not_allowed`` or 409 ``not_executable``."""
    if user is None and not plan.is_automatic:
        raise Problem(403, "not_allowed", "Only a person executes a plan that was made by hand.")
    if user is not None and not may_execute(user, plan.registry):
        raise Problem(
            403, "not_allowed", f"Platform admins and maintainers of the owner of {plan.registry} execute plans."
        )
    with transaction.atomic():
        held = Plan.objects.select_for_update(no_key=True, of=("self",)).select_related("registry").get(pk=plan.pk)
        reason = why_not_executable(held)
        if reason:
            raise Problem(409, "not_executable", reason)
        held.state, held.executed_by = Plan.State.EXECUTING, user
        held.save(update_fields=["state", "executed_by"])
        job = CleanupJob.objects.create(plan=held, step=CleanupJob.Step.EXECUTE, **job_fields(actor, held))
        record(actor, "plan.execution_started", held, tags=held.delete_count, freed_bytes=held.freed_bytes)
        enqueue(job)
    plan.refresh_from_db()
    return job


def stop_plan(actor: Actor, plan: Plan) -> bool:
    """Stop before the next tag; False when there was nothing to stop."""
    job = CleanupJob.objects.filter(plan=plan, step=CleanupJob.Step.EXECUTE).exclude(state__in=ENDED).first()
    if job is None or not request_cancel(job):
        return False
    with transaction.atomic():
        record(actor, "plan.stop_requested", plan)
    job.refresh_from_db()
    if job.is_ended:
        finish_plan(plan, Plan.State.STOPPED, job.reason_text, actor)
    return True


def restore_tag(actor: Actor, item: PlanItem) -> CleanupJob:
    """Put a deleted tag back from the kept bytes. Raises Problem 409 ``not_deleted``."""
    if item.outcome != PlanItem.Outcome.DELETED:
        raise Problem(409, "not_deleted", f"{item} was not deleted by this plan ({item.get_outcome_display()}).")
    with transaction.atomic():
        job = CleanupJob.objects.create(
            plan=item.plan, item=item, step=CleanupJob.Step.RESTORE, **job_fields(actor, item.plan)
        )
        record(actor, "tag.restore_requested", item, digest=str(item.digest))
        enqueue(job)
    return job
