"""What came of a plan and of each of its tags, written down."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.outbox.post import tell
from registries.retention.models import Plan, PlanItem


def going_items(plan: Plan) -> QuerySet[PlanItem]:
    """Tags the plan lets go, whatever came of them."""
    return PlanItem.objects.filter(plan=plan, decision=PlanItem.Decision.DELETE)


def waiting_items(plan: Plan) -> QuerySet[PlanItem]:
    """Tags that are still to go."""
    return going_items(plan).filter(outcome=PlanItem.Outcome.WAITING)


def settle_item(item: PlanItem, outcome: PlanItem.Outcome, text: str) -> None:
    """Write what came of one tag."""
    item.outcome, item.outcome_text, item.done_at = outcome, text[:500], timezone.now()
    item.save(update_fields=["outcome", "outcome_text", "done_at"])


def finish_plan(plan: Plan, state: Plan.State, reason: str, actor: Actor) -> None:
    """The plan is executed, or was stopped; both are on the record."""
    counts = {outcome: going_items(plan).filter(outcome=outcome).count() for outcome in PlanItem.Outcome.values}
    with transaction.atomic():
        Plan.objects.filter(pk=plan.pk).update(state=state, reason_text=reason, finished_at=timezone.now())
        verb = "plan.executed" if state == Plan.State.DONE else "plan.stopped"
        found = {outcome: count for outcome, count in counts.items() if count}
        record(actor, verb, plan, reason=reason, outcomes=found)
        payload = {"plan": plan.pk, "registry": plan.registry.name, "outcomes": found}
        tell(f"cleanup.{state}", f"{plan}: {state}", payload=payload)
