"""The handler that executes a plan: repository by repository, each tag looked at afresh right before it goes.

It may die anywhere and run again. Cancelling stops before the next tag. What changed since the plan is left alone, with the
reason on its item."""

from contextlib import closing

from django.utils import timezone

from portal.actor import Actor
from portal.jobs.queue import wake
from portal.jobs.run import Claim, JobCancelled, JobFailed, RetryLater
from registries.access.connect import adapter_for, client_for
from registries.catalog.holds import release_deletions
from registries.catalog.models import Repository
from registries.catalog.setbacks import heed_pause, retry_or_fail
from registries.oci.errors import RegistryError
from registries.oci.scope import Scope
from registries.retention.clean import RepositoryCleanup
from registries.retention.items import finish_plan, going_items, settle_item, waiting_items
from registries.retention.models import CleanupJob, Plan, PlanItem
from registries.retention.operations import MAX_PLAN_AGE
from registries.topology.models import ZoneKind

PLACEHOLDER_ZONES = (ZoneKind.SANDBOX, ZoneKind.CI_TESTS, ZoneKind.CI_SNAPSHOTS)


def execute(claim: Claim[CleanupJob]) -> None:
    """Let the tags of a plan go."""
    plan = claim.job.plan
    _take(plan, claim.job.actor)
    heed_pause(plan.registry)
    # Claims of an attempt that died; whatever it was about to delete is looked at again.
    release_deletions(claim.job)
    try:
        for name in _repositories(claim):
            claim.check()
            _clean(claim, name)
    except JobCancelled as stop:
        finish_plan(plan, Plan.State.STOPPED, str(stop), claim.job.actor)
        raise
    finally:
        release_deletions(claim.job)
        wake("promotions.replication.reconcile")
    finish_plan(plan, Plan.State.DONE, "", claim.job.actor)


def _take(plan: Plan, actor: Actor) -> None:
    if not plan.registry.is_retention_enabled:
        reason = f"Cleanup is switched off at {plan.registry}; nothing more was removed."
        finish_plan(plan, Plan.State.STOPPED, reason, actor)
        raise JobFailed("switched_off", reason)
    if plan.state == Plan.State.STOPPED and timezone.now() - plan.created_at > MAX_PLAN_AGE:
        raise JobFailed("too_old", "The plan was stopped and is more than a day old by now; make another one.")
    # One that was stopped goes on when its job is tried again.
    fit = Plan.objects.filter(pk=plan.pk, state__in=[Plan.State.EXECUTING, Plan.State.STOPPED])
    if not fit.update(state=Plan.State.EXECUTING, reason_text="", finished_at=None):
        raise JobFailed("not_executable", f"The {plan} is {plan.state}; only one that is ready can be executed.")


def _repositories(claim: Claim[CleanupJob]) -> list[str]:
    """After a crash also those that are through: their untagged manifests may have been left."""
    plan = claim.job.plan
    items = waiting_items(plan) if claim.job.attempt == 1 else going_items(plan)
    return sorted(set(items.values_list("repository", flat=True)))


def _clean(claim: Claim[CleanupJob], name: str) -> None:
    plan = claim.job.plan
    row = Repository.objects.get(registry=plan.registry, name=name)
    try:
        with closing(client_for(plan.registry, "cleaner", [Scope.repository(name, *_actions(plan))])) as client:
            RepositoryCleanup(claim, row, client, adapter_for(plan.registry).delete_tag).run()
    except RegistryError as error:
        setback = retry_or_fail(plan.registry, error, claim.job.attempt)
        if isinstance(setback, RetryLater):
            raise setback from error
        for item in waiting_items(plan).filter(repository=name):
            settle_item(item, PlanItem.Outcome.FAILED, str(error))


def _actions(plan: Plan) -> tuple[str, ...]:
    """Pushing is for the placeholder by which a shared digest loses one tag; where only the pipeline pushes, there is none."""
    return ("pull", "push", "delete") if plan.registry.zone.kind in PLACEHOLDER_ZONES else ("pull", "delete")
