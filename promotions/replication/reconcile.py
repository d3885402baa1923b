"""Does every target hold what its rules want? Rows in, rows and copy jobs out; run as often as one likes.

Nothing is ever deleted at a target: what went at the source is for cleanup plans to take."""

from datetime import datetime

from django.utils import timezone

from portal.jobs.queue import wake
from promotions.replication.models import ReplicationRule
from promotions.replication.plan import plan_rule
from promotions.replication.send import send_due, settle_sent


def reconcile(now: datetime | None = None) -> int:
    """Settle what was sent, read what has changed, send what is due; how many deliveries became present."""
    now = now or timezone.now()
    present = settle_sent(now)
    for rule in working_rules():
        plan_rule(rule, now)
        send_due(rule, now)
    if present:
        # A promotion may wait for nothing but its regions.
        wake("promotions.workflow.advance")
    return present


def working_rules() -> list[ReplicationRule]:
    """Rules that are on, toward targets where somebody has switched replication on."""
    rules = ReplicationRule.objects.filter(is_enabled=True, target__is_replication_enabled=True)
    return list(rules.select_related("source__zone", "target__zone"))


def why_idle(rule: ReplicationRule) -> str:
    """Why a rule does nothing; empty when it works."""
    if not rule.is_enabled:
        return "The rule is switched off."
    if not rule.target.is_replication_enabled:
        return f"Replication is switched off at {rule.target}; switch it on at the registry."
    return ""
