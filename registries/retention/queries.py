"""What do plans say? For pages: bounded lists and counts."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, QuerySet, Sum

from registries.catalog.models import Repository, Tag
from registries.retention.items import going_items
from registries.retention.models import CleanupJob, Plan, PlanItem
from registries.topology.models import Registry

SHOWN_ITEMS = 100
SHOWN_REPOSITORIES = 20


def plans_of(registry: Registry) -> QuerySet[Plan]:
    """Plans of a registry, the newest first."""
    return Plan.objects.filter(registry=registry).order_by("-id")


def job_of(plan: Plan) -> CleanupJob | None:
    """The job that last made or executed the plan."""
    return CleanupJob.objects.filter(plan=plan).exclude(step=CleanupJob.Step.RESTORE).order_by("-id").first()


def items_shown(plan: Plan) -> Sequence[PlanItem]:
    """The first tags that go, by repository."""
    return list(going_items(plan).order_by("repository", "tag")[:SHOWN_ITEMS])


def outcome_counts(plan: Plan) -> Sequence[tuple[str, int]]:
    """How many of the tags that go came to what."""
    rows = going_items(plan).order_by().values_list("outcome").annotate(Count("pk"))
    labels = dict(PlanItem.Outcome.choices)
    return [(str(labels[outcome]).lower(), count) for outcome, count in sorted(rows)]


def repositories_of(plan: Plan) -> Sequence[Mapping[str, Any]]:
    """Where most comes free: repository, tags, bytes."""
    rows = going_items(plan).order_by().values("repository").annotate(tags=Count("pk"), freed=Sum("freed_bytes"))
    return list(rows.order_by("-freed", "repository")[:SHOWN_REPOSITORIES])


def last_word_on(tag: Tag) -> PlanItem | None:
    """What the newest plan says of a tag that is still where it was then."""
    plan = newest_plan(tag.repository.registry)
    rows = PlanItem.objects.filter(plan=plan, repository=tag.repository.name, tag=tag.name)
    return rows.filter(digest=tag.manifest.digest).first() if plan else None


def newest_plan(registry: Registry) -> Plan | None:
    """The newest plan that came to decisions."""
    return plans_of(registry).exclude(state__in=[Plan.State.PLANNING, Plan.State.REFUSED]).first()


def going_from(repository: Repository) -> QuerySet[PlanItem]:
    """Tags of a repository that the newest plan lets go and that are still waiting."""
    plan = newest_plan(repository.registry)
    if plan is None:
        return PlanItem.objects.none()
    return going_items(plan).filter(repository=repository.name, outcome=PlanItem.Outcome.WAITING)
