"""Has every region that follows the target got it? From the deliveries of replication."""

from dataclasses import dataclass
from datetime import datetime

from portal.globs import matches
from promotions.replication.models import Delivery, ReplicationRule
from promotions.workflow.baseline import current_digests
from promotions.workflow.models import PromotionItem, PromotionRequest
from registries.topology.models import Registry


@dataclass(frozen=True)
class Region:
    """One tag at one registry that follows. ``state``: present, pending, copying, failed, or off where replication is switched off."""

    registry: Registry
    tag: str
    state: str
    text: str
    at: datetime | None

    @property
    def is_there(self) -> bool:
        return self.state == Delivery.State.PRESENT

    @property
    def is_broken(self) -> bool:
        return self.state == Delivery.State.FAILED


def regions_of(request: PromotionRequest, item: PromotionItem) -> list[Region]:
    """What the rules want of this item, and how far each is."""
    rules = ReplicationRule.objects.filter(source=request.path.target, is_enabled=True)
    rules = rules.select_related("target__location").order_by("target__name")
    rows = Delivery.objects.filter(rule__in=rules, repository=item.target_repository, tag__in=item.target_tags)
    known = {(row.rule_id, row.tag): row for row in rows}
    return [
        _region(rule, tag, known.get((rule.pk, tag)), item)
        for rule in rules
        if matches(rule.repository_glob, item.target_repository)
        for tag in item.target_tags
        if matches(rule.tag_glob, tag)
    ]


def _region(rule: ReplicationRule, tag: str, delivery: Delivery | None, item: PromotionItem) -> Region:
    if not rule.target.is_replication_enabled:
        return Region(rule.target, tag, "off", f"Replication to {rule.target} is switched off.", None)
    if delivery is None or delivery.digest != item.digest:
        return Region(rule.target, tag, Delivery.State.PENDING, "", None)
    return Region(rule.target, tag, delivery.state, delivery.reason_text, delivery.verified_at)


def wanted_regions(request: PromotionRequest, item: PromotionItem) -> list[Region]:
    """Those a promoted request still waits for or has: a tag that has moved on since is nobody's business any more."""
    now = current_digests(request.path.target, item.target_repository, list(item.target_tags))
    here = {tag for tag, digest in now.items() if digest == str(item.digest)}
    return [region for region in regions_of(request, item) if region.tag in here and region.state != "off"]
