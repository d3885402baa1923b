"""What may somebody do at each registry? Asked of the very function that tokens are made by, pattern by pattern."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from portal.globs import matches
from portal.users.models import User
from registries.access.explain import Explanation, explain_from
from registries.access.facts import Place
from registries.access.policy import ACTIONS
from registries.access.principals import Principal
from registries.access.snapshot import Snapshot, current_snapshot
from registries.access.who import principal_of
from registries.oci.reference import is_repository
from registries.topology.models import Registry, ZoneKind

# A name of which no pattern speaks but those that speak of every name.
ANY_NAME: Final = "no-rule-names-this/one"
_MOST_PATTERNS = 12


@dataclass(frozen=True, slots=True)
class Right:
    """What holds for the names of a pattern, where it differs from what holds for those around it."""

    pattern: str
    answer: Explanation


@dataclass(frozen=True, slots=True)
class ActionCell:
    """One action at one registry: the answer for any name, the patterns that differ, the wider first, and how many more there are."""

    action: str
    answer: Explanation
    others: tuple[Right, ...]
    more: int = 0

    @property
    def word(self) -> str:
        """yes, in part or no."""
        if self.others:
            return "in part"
        return "yes" if self.answer.is_allowed else "no"


@dataclass(frozen=True, slots=True)
class RegistryRights:
    registry: Registry
    cells: tuple[ActionCell, ...]

    @property
    def note(self) -> str:
        """How far our word reaches there, where it is not all the way."""
        return self.cells[0].answer.note


def rights_by_registry(user: User) -> list[RegistryRights]:
    """Every registry but those that are not ours, in the order of the map."""
    asking = _Asking(current_snapshot(), principal_of(user), timezone.now())
    rows = Registry.objects.select_related("zone", "location", "fronts__zone").exclude(zone__kind=ZoneKind.UPSTREAM)
    return [RegistryRights(row, tuple(asking.cell(row, action) for action in ACTIONS)) for row in rows]


@dataclass(frozen=True)
class _Asking:
    """One person at one moment."""

    snapshot: Snapshot
    principal: Principal
    now: datetime

    def cell(self, registry: Registry, action: str) -> ActionCell:
        anywhere = self._explain(action, registry, ANY_NAME)
        found: list[Right] = []
        for pattern in sorted(
            self._patterns(self.snapshot.place(registry), action), key=lambda each: (len(each), each)
        ):
            name = sample_of(pattern)
            if not name:
                continue
            answer = self._explain(action, registry, name)
            # What a wider pattern has said already need not be said again, but the exception from it has to be.
            said = next((right.answer for right in reversed(found) if matches(right.pattern, name)), anywhere)
            if answer.is_allowed != said.is_allowed:
                found.append(Right(pattern, answer))
        return ActionCell(action, anywhere, tuple(found[:_MOST_PATTERNS]), len(found[_MOST_PATTERNS:]))

    def _explain(self, action: str, registry: Registry, name: str) -> Explanation:
        return explain_from(self.snapshot, self.principal, action, registry, name, self.now)

    def _patterns(self, place: Place, action: str) -> set[str]:
        """All that rules, restrictions and ownership tell apart here. A cache is asked as what it fronts, too."""
        places = [place, *([place.fronts] if place.fronts else [])]
        return {pattern for each in places for pattern in (*self._ruled(each, action), *self._owned(each))}

    def _ruled(self, place: Place, action: str) -> Iterator[str]:
        policy = self.snapshot.policy
        for rule in policy.rules_about(self.principal):
            if action in rule.actions and rule.is_in_force(self.now) and rule.stands_at(place):
                yield rule.pattern
        for limit in policy.limits:
            name = sample_of(limit.pattern)
            if name and limit.holds(place, name, action, self.now):
                yield limit.pattern

    def _owned(self, place: Place) -> Iterator[str]:
        for (zone, prefix), owner in self.snapshot.policy.owners.items():
            if zone == place.zone_key and owner.team_id in self.principal.team_ids:
                yield f"{prefix}/**"


def sample_of(pattern: str) -> str:
    """A name that the pattern means; empty where it means none that a repository may have."""
    name = ANY_NAME if pattern == "**" else re.sub(r"\*\*|\*|\?", "x", pattern)
    return name if is_repository(name) and matches(pattern, name) else ""
