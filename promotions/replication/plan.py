"""What should a target hold by now? Compares the revisions of source repositories with those a rule has read."""

from datetime import datetime

from django.db import transaction
from django.db.models import F, FilteredRelation, Q, QuerySet

from portal.jobs.run import request_cancel
from promotions.replication.match import Changes, Known, plan_deliveries, wanted_tags
from promotions.replication.models import Delivery, ReplicationRule, RepositoryReading
from registries.catalog.models import Repository
from registries.oci.digest import Digest

REPOSITORIES_AT_ONCE = 500
OUTLIVED = "The tag is gone at {source}. Replication never deletes, so {target} keeps it; a cleanup plan may take it."


def plan_rule(rule: ReplicationRule, now: datetime) -> int:
    """Bring the deliveries of a rule up to date with its source's rows; how many repositories had changed."""
    behind = list(repositories_behind(rule)[:REPOSITORIES_AT_ONCE])
    for repository in behind:
        plan_repository(rule, repository, now)
    return len(behind)


def repositories_behind(rule: ReplicationRule) -> QuerySet[Repository]:
    """Repositories of the source whose revision is not the one the rule has reconciled."""
    mine = FilteredRelation("replication_readings", condition=Q(replication_readings__rule=rule))
    rows = Repository.objects.filter(registry=rule.source_id).annotate(reading=mine)
    return rows.filter(Q(reading=None) | ~Q(reading__revision=F("revision"))).order_by("pk")


def plan_repository(rule: ReplicationRule, repository: Repository, now: datetime) -> Changes:
    """One repository. The revision that was read first is what gets noted: a change in between is seen the next time."""
    with transaction.atomic():
        revision = Repository.objects.values_list("revision", flat=True).get(pk=repository.pk)
        wanted = wanted_tags(rule.repository_glob, rule.tag_glob, repository.name, _tags(repository))
        mine = Delivery.objects.filter(rule=rule, repository=repository.name)
        changes = plan_deliveries(wanted, [_known(row) for row in mine])
        _create(rule, repository.name, changes, now)
        for tag, digest in changes.change.items():
            _want(mine.get(tag=tag), digest, now)
        _let_go(rule, mine, changes)
        RepositoryReading.objects.update_or_create(rule=rule, repository=repository, defaults={"revision": revision})
    return changes


def _tags(repository: Repository) -> dict[str, Digest]:
    return {tag.name: tag.manifest.digest for tag in repository.tags.select_related("manifest")}


def _known(row: Delivery) -> Known:
    return Known(row.tag, row.digest, row.state in (Delivery.State.COPYING, Delivery.State.PRESENT))


def _create(rule: ReplicationRule, repository: str, changes: Changes, now: datetime) -> None:
    fresh = [
        Delivery(rule=rule, repository=repository, tag=tag, digest=digest, wanted_at=now)
        for tag, digest in changes.create.items()
    ]
    # Another worker may be at it: whoever comes second finds the rows there.
    Delivery.objects.bulk_create(fresh, batch_size=500, ignore_conflicts=True)


def _want(delivery: Delivery, digest: Digest, now: datetime) -> None:
    """Another digest from now on. A copy under way is asked to stop and ends first, or it could set the tag back."""
    fields = {"digest": digest, "wanted_at": now, "attempts": 0, "next_try_at": None, "verified_at": None}
    if delivery.state == Delivery.State.COPYING:
        if delivery.copy_job is not None:
            request_cancel(delivery.copy_job)
        Delivery.objects.filter(pk=delivery.pk).update(**fields)
        return
    Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.PENDING, reason_text="", **fields)


def _let_go(rule: ReplicationRule, mine: QuerySet[Delivery], changes: Changes) -> None:
    begun = (Delivery.State.COPYING, Delivery.State.PRESENT)
    mine.filter(tag__in=changes.drop).exclude(state__in=begun).delete()
    text = OUTLIVED.format(source=rule.source, target=rule.target)
    mine.filter(tag__in=changes.outlived).exclude(reason_text=text).update(reason_text=text)
