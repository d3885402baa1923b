"""Make rules, and try again what failed."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.jobs.queue import wake
from promotions.replication.models import Delivery, ReplicationRule
from registries.topology.models import Registry

RECONCILE = "promotions.replication.reconcile"


def set_rule(
    actor: Actor,
    name: str,
    source: Registry,
    target: Registry,
    repository_glob: str = "**",
    tag_glob: str = "*",
    is_enabled: bool = True,
) -> ReplicationRule:
    """Make a rule of this name, or change the one there is. Raises ValidationError, above all for what would leave a sandbox."""
    wanted = {
        "source_id": source.pk,
        "target_id": target.pk,
        "repository_glob": repository_glob,
        "tag_glob": tag_glob,
        "is_enabled": is_enabled,
    }
    with transaction.atomic():
        rule = ReplicationRule.objects.filter(name=name).first() or ReplicationRule(name=name)
        before = {field: getattr(rule, field) for field in wanted} if rule.pk else {}
        changed = [field for field, value in wanted.items() if before.get(field) != value]
        for field, value in wanted.items():
            setattr(rule, field, value)
        rule.full_clean()
        if changed:
            rule.save()
            read_again(rule, changed if before else [])
            record(actor, f"replicationrule.{'changed' if before else 'created'}", rule, fields=changed)
            wake(RECONCILE)
    return rule


def read_again(rule: ReplicationRule, changed: list[str]) -> None:
    """After a change every repository is looked at anew; between other registries, deliveries start from nothing."""
    names = {field.removesuffix("_id") for field in changed}
    if names & {"source", "target"}:
        rule.deliveries.all().delete()
    if names & {"source", "target", "repository_glob", "tag_glob"}:
        rule.readings.all().delete()


def follow_primaries(actor: Actor) -> list[ReplicationRule]:
    """One rule for each replica that no rule leads to yet: everything of its primary follows. Returns the new rules."""
    replicas = Registry.objects.exclude(primary=None).select_related("zone", "primary__zone")
    lacking = replicas.exclude(replication_rules_in__source=F("primary"))
    return [set_rule(actor, f"{row.primary}-to-{row}", row.primary, row) for row in lacking if row.primary]


def try_again(actor: Actor, delivery: Delivery) -> bool:
    """Send a failed or present delivery anew at once; False while it is on its way."""
    with transaction.atomic():
        free = Delivery.objects.filter(pk=delivery.pk).exclude(state=Delivery.State.COPYING)
        if not free.update(state=Delivery.State.PENDING, next_try_at=None, reason_text="", wanted_at=timezone.now()):
            return False
        record(actor, "delivery.retried", delivery, digest=str(delivery.digest))
        wake(RECONCILE)
    return True
