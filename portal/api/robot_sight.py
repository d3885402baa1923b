"""Which repositories may a robot pull? The policy of the token endpoint, written as a filter over rows, so that lists stay short."""

from collections.abc import Iterator
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.web.visible import pattern_regex
from registries.access.facts import Place, Policy, Rule
from registries.access.hard_rules import hard_verdict
from registries.access.models import RobotAccount
from registries.access.principals import Principal
from registries.access.snapshot import current_snapshot
from registries.access.who import principal_of
from registries.catalog.models import Repository

NOTHING = Q(pk__in=[])


def visible_to_robot(robot: RobotAccount) -> QuerySet[Repository]:
    """Those that are there and that its tokens would let it pull."""
    snapshot, principal, now = current_snapshot(), principal_of(robot), timezone.now()
    parts = (
        Q(registry=key) & _inside(snapshot.policy, principal, place, now) for key, place in snapshot.places.items()
    )
    return Repository.objects.filter(reduce(or_, parts, NOTHING), absent_since=None)


def _inside(policy: Policy, principal: Principal, place: Place, now: datetime) -> Q:
    """The names of one registry; of a cache, those that it and its origin both give."""
    if hard_verdict(principal, place, "pull") is not None:
        return NOTHING
    refused = reduce(or_, _refusals(policy, principal, place, now), NOTHING)
    if place.fronts is not None:
        return _inside(policy, principal, place.fronts, now) & ~refused
    return reduce(or_, _grants(policy, principal, place, now), NOTHING) & ~refused


def _grants(policy: Policy, principal: Principal, place: Place, now: datetime) -> Iterator[Q]:
    for default in policy.defaults:
        if default.zone_key == place.zone_key and default.action == "pull" and default.is_for(principal):
            yield ~NOTHING
    yield from (_named(rule.pattern) for rule in _rules(policy, principal, place, now) if not rule.is_deny)


def _refusals(policy: Policy, principal: Principal, place: Place, now: datetime) -> Iterator[Q]:
    yield from (_named(rule.pattern) for rule in _rules(policy, principal, place, now) if rule.is_deny)
    for limit in policy.limits:
        is_here = limit.zone in (None, place.zone_key) and limit.registry in (None, place.key)
        is_now = limit.starts_at <= now and (limit.ends_at is None or now < limit.ends_at)
        if "pull" in limit.actions and is_here and is_now:
            yield _named(limit.pattern)


def _rules(policy: Policy, principal: Principal, place: Place, now: datetime) -> Iterator[Rule]:
    for rule in policy.rules_about(principal):
        is_here = rule.zone in (None, place.zone_key) and rule.registry in (None, place.key)
        if "pull" in rule.actions and is_here and rule.is_in_force(now):
            yield rule


def _named(pattern: str) -> Q:
    return ~NOTHING if pattern == "**" else Q(name__regex=pattern_regex(pattern))
