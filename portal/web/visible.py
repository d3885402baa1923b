"""Which registries' contents may somebody look into? People with a role see everything; all others what they may pull, and what
their teams own. What they may not see looks as if it were not there."""

import re
from collections.abc import Callable, Iterable
from functools import partial, reduce
from operator import or_

from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.users.models import User
from registries.access.models import AccessRule, Namespace
from registries.catalog.models import Repository
from registries.topology.models import Registry, ZoneDefault

OPEN_TO = (ZoneDefault.Audience.EVERYONE, ZoneDefault.Audience.PEOPLE)
DEEPEST = 4


def visible_repositories(user: User) -> QuerySet[Repository]:
    """Repositories somebody may look into; those that are gone from their registry are left out."""
    rows = Repository.objects.filter(absent_since=None)
    if user.has_role():
        return rows
    behind = registries_behind()
    return rows.filter(_visible_to(user, behind)).exclude(_any(_by_rules(user, AccessRule.Effect.DENY, behind)))


def registries_behind() -> dict[int, Registry]:
    """Registry -> the one whose rules hold there: a cache is judged as what it fronts."""
    rows = {row.pk: row for row in Registry.objects.only("pk", "zone", "fronts")}

    def front(row: Registry, depth: int = 0) -> Registry:
        behind = rows.get(row.fronts_id) if row.fronts_id and depth < DEEPEST else None
        return front(behind, depth + 1) if behind else row

    return {key: front(row) for key, row in rows.items()}


def pattern_regex(pattern: str) -> str:
    """``*`` stops at a slash, ``**`` does not; ``team/**`` means ``team`` too."""
    if pattern.endswith("/**"):
        return f"^{_body(pattern[:-3])}(/.*)?$"
    return f"^{_body(pattern)}$"


def _body(pattern: str) -> str:
    wild = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(wild.get(part) or re.escape(part) for part in re.split(r"(\*\*|\*|\?)", pattern))


def _visible_to(user: User, behind: dict[int, Registry]) -> Q:
    rows = ZoneDefault.objects.filter(action=ZoneDefault.Action.PULL, audience__in=OPEN_TO)
    zones = set(rows.values_list("zone", flat=True))
    wholes = _where(behind, lambda front: front.zone_id in zones)
    owned = [_owned(row, behind) for row in Namespace.objects.filter(team__memberships__user=user)]
    return _any([wholes, *owned, *_by_rules(user, AccessRule.Effect.ALLOW, behind)])


def _owned(row: Namespace, behind: dict[int, Registry]) -> Q:
    named = Q(name=row.prefix) | Q(name__prefix=f"{row.prefix}/")
    return named & _where(behind, lambda front: front.zone_id == row.zone_id)


def _by_rules(user: User, effect: str, behind: dict[int, Registry]) -> Iterable[Q]:
    now = timezone.now()
    mine = Q(user=user) | Q(team__memberships__user=user) | Q(user=None, team=None, robot=None)
    in_force = (Q(starts_at=None) | Q(starts_at__lte=now)) & (Q(ends_at=None) | Q(ends_at__gt=now))
    for rule in AccessRule.objects.filter(mine, in_force, effect=effect, may_pull=True).distinct():
        where = _where(behind, partial(_speaks_of, rule))
        yield where if rule.pattern == "**" else where & Q(name__regex=pattern_regex(rule.pattern))


def _speaks_of(rule: AccessRule, front: Registry) -> bool:
    return rule.zone_id in (None, front.zone_id) and rule.registry_id in (None, front.pk)


def _where(behind: dict[int, Registry], fits: Callable[[Registry], bool]) -> Q:
    return Q(registry__in=[key for key, front in behind.items() if fits(front)])


def _any(parts: Iterable[Q]) -> Q:
    return reduce(or_, parts, Q(pk__in=[]))
