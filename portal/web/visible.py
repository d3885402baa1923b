"""Which registries' contents may somebody look into? People with a role see everything; all others what they may pull, and what
their teams own. What they may not see looks as if it were not there."""

import re
from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.users.models import User
from registries.access.models import AccessRule, Namespace
from registries.catalog.models import Repository
from registries.topology.models import Registry, ZoneDefault

OPEN_TO = (ZoneDefault.Audience.EVERYONE, ZoneDefault.Audience.PEOPLE)


def visible_repositories(user: User) -> QuerySet[Repository]:
    """Repositories somebody may look into; those that are gone from their registry are left out."""
    rows = Repository.objects.filter(absent_since=None)
    if user.has_role():
        return rows
    return rows.filter(_visible_to(user)).exclude(_denied_to(user))


def sees_registry(user: User, registry: Registry) -> bool:
    """Whether anything in the registry is for this person; the registry's own row is for everybody signed in."""
    return user.has_role() or visible_repositories(user).filter(registry=registry).exists()


def pattern_regex(pattern: str) -> str:
    """``*`` stops at a slash, ``**`` does not; ``team/**`` means ``team`` too."""
    if pattern.endswith("/**"):
        return f"^{_body(pattern[:-3])}(/.*)?$"
    return f"^{_body(pattern)}$"


def _body(pattern: str) -> str:
    wild = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(wild.get(part) or re.escape(part) for part in re.split(r"(\*\*|\*|\?)", pattern))


def _visible_to(user: User) -> Q:
    zones = ZoneDefault.objects.filter(action=ZoneDefault.Action.PULL, audience__in=OPEN_TO).values("zone")
    wholes = Q(registry__zone__in=zones)
    owned = [
        # A range, because SQLite's LIKE folds case; "0" follows "/".
        Q(registry__zone=row.zone_id) & (Q(name=row.prefix) | Q(name__gt=f"{row.prefix}/", name__lt=f"{row.prefix}0"))
        for row in Namespace.objects.filter(team__memberships__user=user)
    ]
    return _any([wholes, *owned, *_by_rules(user, AccessRule.Effect.ALLOW)])


def _denied_to(user: User) -> Q:
    return _any(_by_rules(user, AccessRule.Effect.DENY))


def _by_rules(user: User, effect: str) -> Iterable[Q]:
    now = timezone.now()
    mine = Q(user=user) | Q(team__memberships__user=user) | Q(user=None, team=None, robot=None)
    in_force = (Q(starts_at=None) | Q(starts_at__lte=now)) & (Q(ends_at=None) | Q(ends_at__gt=now))
    for rule in AccessRule.objects.filter(mine, in_force, effect=effect, may_pull=True).distinct():
        where = Q(pk__isnull=False) if rule.pattern == "**" else Q(name__regex=pattern_regex(rule.pattern))
        if rule.zone_id:
            where &= Q(registry__zone=rule.zone_id)
        if rule.registry_id:
            where &= Q(registry=rule.registry_id)
        yield where


def _any(parts: Iterable[Q]) -> Q:
    return reduce(or_, parts, Q(pk__in=[]))
