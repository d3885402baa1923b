"""Which repositories may somebody see? What may be pulled, and what belongs to one's own teams, as a condition on rows that have a
``registry`` and a ``name``. A denial hides both; restrictions hide nothing: they pass."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from portal.globs import regex_of
from registries.access.facts import Place, Policy
from registries.access.hard_rules import hard_verdict
from registries.access.principals import Principal
from registries.access.snapshot import Snapshot

ALL = "**"
NOTHING = Q(pk__in=[])


def visible_to(snapshot: Snapshot, principal: Principal, now: datetime) -> Q:
    """The condition for one principal at one moment."""
    found = NOTHING
    for key, place in snapshot.places.items():
        found |= Q(registry=key) & _here(snapshot.policy, principal, place, now)
    return found


def _here(policy: Policy, principal: Principal, place: Place, now: datetime) -> Q:
    if _is_shut(principal, place):
        return NOTHING
    given = _any(_allowed(policy, principal, place, now)) | _owned(policy, principal, place)
    return given & ~_any(_denied(policy, principal, place, now))


def _is_shut(principal: Principal, place: Place) -> bool:
    """Whether a hard rule stands before the registry, or before what it fronts."""
    hard = hard_verdict(principal, place, "pull")
    if hard is not None and not hard.is_allowed:
        return True
    return place.fronts is not None and _is_shut(principal, place.fronts)


def _named(glob: str) -> Q:
    return Q(pk__isnull=False) if glob == ALL else Q(name__regex=regex_of(glob))


def _allowed(policy: Policy, principal: Principal, place: Place, now: datetime) -> Iterable[str]:
    if place.kind == "cache":
        return _allowed(policy, principal, place.fronts, now) if place.fronts else ()
    is_open = any(
        default.zone_key == place.zone_key and default.action == "pull" and default.is_for(principal)
        for default in policy.defaults
    )
    if is_open:
        return (ALL,)
    # A robot's own rules hold within what its team may; the names that its team owns are looked at by themselves.
    is_own = any(
        default.zone_key == place.zone_key and default.action == "pull" and default.audience == "people"
        for default in policy.defaults
    )
    return _patterns(policy, principal, place, now, is_deny=False, with_robots_own=is_own)


def _denied(policy: Policy, principal: Principal, place: Place, now: datetime) -> list[str]:
    own = _patterns(policy, principal, place, now, is_deny=True, with_robots_own=True)
    return own + _denied(policy, principal, place.fronts, now) if place.fronts else own


def _patterns(
    policy: Policy, principal: Principal, place: Place, now: datetime, *, is_deny: bool, with_robots_own: bool
) -> list[str]:
    rules = (rule for rule in policy.rules_about(principal) if with_robots_own or rule.robot is None)
    chosen = (rule for rule in rules if rule.is_deny == is_deny and "pull" in rule.actions and rule.is_in_force(now))
    return sorted({rule.pattern for rule in chosen if rule.stands_at(place)})


def _owned(policy: Policy, principal: Principal, place: Place) -> Q:
    """Names of one's teams; in a cache, those of what it fronts."""
    found = _owned(policy, principal, place.fronts) if place.fronts else NOTHING
    for (zone_key, prefix), owner in policy.owners.items():
        if zone_key == place.zone_key and owner.team_id in principal.team_ids:
            found |= Q(name=prefix) | Q(name__prefix=f"{prefix}/")
    return found


def _any(globs: Iterable[str]) -> Q:
    found = NOTHING
    for glob in globs:
        found |= _named(glob)
    return found
