"""What may somebody do where, and by which row? For the page of one's own access."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from portal.users.models import Membership, User
from registries.access.facts import Place
from registries.access.hard_rules import hard_verdict
from registries.access.models import AccessRule, Namespace
from registries.access.principals import Principal
from registries.access.who import principal_of
from registries.topology.models import Zone, ZoneDefault, ZoneKind

ACTIONS = ("pull", "push", "delete")
OPEN_TO = (ZoneDefault.Audience.EVERYONE, ZoneDefault.Audience.PEOPLE)


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
    for zone_id, action, reason in (*_defaults(), *_rules(user), *_maintained(user)):
        found[zone_id, action].append(reason)
    principal = principal_of(user)
    return [
        ZoneRow(zone, tuple(_cell(principal, zone, action, found) for action in ACTIONS))
        for zone in Zone.objects.all()
        if zone.kind != ZoneKind.UPSTREAM
    ]


def _cell(principal: Principal, zone: Zone, action: str, found: dict[tuple[int, str], list[Reason]]) -> Cell:
    hard = hard_verdict(principal, Place(0, zone.name, zone.pk, zone.name, zone.kind), action)
    never = hard.text if hard is not None and not hard.is_allowed else ""
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


def _maintained(user: User) -> Iterable[tuple[int, str, Reason]]:
    """Who maintains a team may delete what it owns in a sandbox."""
    mine = Q(team__memberships__user=user, team__memberships__role=Membership.TeamRole.MAINTAINER)
    for row in Namespace.objects.filter(mine, zone__kind=ZoneKind.SANDBOX).select_related("team"):
        yield row.zone_id, ZoneDefault.Action.DELETE, Reason(f"{row.prefix}/**", f"you maintain team {row.team}")


def _holder(rule: AccessRule) -> str:
    who = f"team {rule.team}" if rule.team else "you" if rule.user_id else "everyone"
    return f"rule for {who}" + (f" at {rule.registry}" if rule.registry else "")


def namespaces_of(user: User) -> list[Namespace]:
    """Names that one's teams own."""
    return list(Namespace.objects.filter(team__memberships__user=user).select_related("zone", "team"))
