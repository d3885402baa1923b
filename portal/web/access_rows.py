"""What may somebody do where, and by which row? For the page of one's own access."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from portal.users.models import User
from registries.access.models import AccessRule, Namespace
from registries.topology.models import Zone, ZoneDefault, ZoneKind

ACTIONS = ("pull", "push", "delete")
OPEN_TO = (ZoneDefault.Audience.EVERYONE, ZoneDefault.Audience.PEOPLE)
# Why people cannot, whatever the rows say; the words of the token policy's own refusals are on the explain page.
NEVER: dict[tuple[str, str], str] = {
    (ZoneKind.PROD, "push"): "Prod takes images from the promotion pipeline alone.",
    (ZoneKind.PROD, "delete"): "Prod changes only by recorded jobs.",
    (ZoneKind.ARCHIVE, "push"): "Only the importer writes here; ask for an archive entry.",
    (ZoneKind.CI_TESTS, "push"): "Only CI pushes here.",
    (ZoneKind.CI_SNAPSHOTS, "push"): "Only CI pushes here.",
    (ZoneKind.CACHE, "push"): "A cache pulls by itself.",
    (ZoneKind.UPSTREAM, "push"): "Not ours to write to.",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """``pattern`` names repositories; ``text`` says by what."""

    pattern: str
    text: str
    is_denial: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One action in one zone."""

    action: str
    reasons: tuple[Reason, ...]
    never: str = ""
    inherited: bool = False

    @property
    def is_open(self) -> bool:
        return any(reason.pattern == "**" and not reason.is_denial for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class ZoneRow:
    zone: Zone
    cells: tuple[Cell, ...]


def access_of(user: User) -> list[ZoneRow]:
    """One row per zone, with every default and rule that speaks of this person."""
    found: dict[tuple[int, str], list[Reason]] = defaultdict(list)
    for zone_id, action, reason in (*_defaults(), *_rules(user)):
        found[zone_id, action].append(reason)
    return [
        ZoneRow(zone, tuple(_cell(zone, action, found) for action in ACTIONS))
        for zone in Zone.objects.all()
        if zone.kind != ZoneKind.UPSTREAM
    ]


def _cell(zone: Zone, action: str, found: dict[tuple[int, str], list[Reason]]) -> Cell:
    never = NEVER.get((zone.kind, action), "")
    inherited = zone.kind == ZoneKind.CACHE and action == "pull"
    return Cell(action, () if never else tuple(found[zone.pk, action]), never, inherited)


def _defaults() -> Iterable[tuple[int, str, Reason]]:
    for default in ZoneDefault.objects.filter(audience__in=OPEN_TO):
        yield default.zone_id, default.action, Reason("**", default.reason or "by default, for everyone signed in")


def _rules(user: User) -> Iterable[tuple[int, str, Reason]]:
    now = timezone.now()
    mine = Q(user=user) | Q(team__memberships__user=user) | Q(user=None, team=None, robot=None)
    in_force = (Q(starts_at=None) | Q(starts_at__lte=now)) & (Q(ends_at=None) | Q(ends_at__gt=now))
    rules = AccessRule.objects.filter(mine, in_force).select_related("team", "registry").distinct()
    zones = list(Zone.objects.values_list("pk", flat=True))
    for rule in rules:
        where = [rule.registry.zone_id] if rule.registry else [rule.zone_id] if rule.zone_id else zones
        text = ", ".join(part for part in (_holder(rule), rule.reason) if part)
        for zone_id in where:
            for action in rule.actions:
                yield zone_id, action, Reason(rule.pattern, text, rule.effect == AccessRule.Effect.DENY)


def _holder(rule: AccessRule) -> str:
    who = f"team {rule.team}" if rule.team else "you" if rule.user_id else "everyone"
    return f"rule for {who}" + (f" at {rule.registry}" if rule.registry else "")


def namespaces_of(user: User) -> list[Namespace]:
    """Names that one's teams own."""
    return list(Namespace.objects.filter(team__memberships__user=user).select_related("zone", "team"))
