"""What will cleanup do to a repository? One sentence, from the newest plan and the policies."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from registries.catalog.models import Repository
from registries.retention.models import Plan, PlanItem, RetentionPolicy


@dataclass(frozen=True, slots=True)
class CleanupLine:
    """``going`` of ``judged`` tags; ``at`` is when the plan was made, None where there is none."""

    text: str
    going: int = 0
    judged: int = 0
    at: datetime | None = None
    plan_id: int | None = None


def cleanup_of(repository: Repository) -> CleanupLine:
    """The newest plan's word, else whether any policy speaks of the registry at all."""
    plan = Plan.objects.filter(registry=repository.registry).exclude(state=Plan.State.PLANNING).order_by("-id").first()
    if plan is None:
        return CleanupLine(_without_plan(repository))
    counts = PlanItem.objects.filter(plan=plan, repository=repository.name).aggregate(
        judged=Count("pk"), going=Count("pk", filter=Q(decision=PlanItem.Decision.DELETE))
    )
    going, judged = counts["going"], counts["judged"]
    verb = {Plan.State.DONE: "removed", Plan.State.EXECUTING: "is removing"}.get(Plan.State(plan.state), "would remove")
    text = f"The last plan {verb} {going} of {judged} tags." if judged else "The last plan did not speak of it."
    return CleanupLine(text, going, judged, plan.created_at, plan.pk)


def _without_plan(repository: Repository) -> str:
    speaking = Q(registry=repository.registry) | Q(zone=repository.registry.zone) | Q(registry=None, zone=None)
    if RetentionPolicy.objects.filter(speaking, is_enabled=True).exists():
        return "A policy speaks of this registry, but no plan was made yet."
    return "No cleanup policy speaks of it: everything stays."
