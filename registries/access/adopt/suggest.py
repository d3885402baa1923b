"""Pure: which rules would let go on what the log has seen, where a rule can at all? Each suggestion was held against the policy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from registries.access.adopt.report import Finding
from registries.access.facts import Place, Policy, Rule
from registries.access.policy import ACTIONS, evaluate
from registries.access.principals import ANONYMOUS, Principal

MAX_SUGGESTED: Final = 500
# Below no rule of the portal has this key.
_FIRST_KEY: Final = -1_000_000


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule for one principal, or for its team where a robot's own rule would go beyond what its team may."""

    principal: Principal
    is_for_team: bool
    pattern: str
    actions: tuple[str, ...]
    count: int

    def as_rule(self, key: int, registry: int) -> Rule:
        kind, number = self.principal.kind, int(self.principal.key or 0)
        return Rule(
            key, "suggested", False, frozenset(self.actions), self.pattern, registry=registry,
            team=next(iter(self.principal.team_ids)) if self.is_for_team else None,
            robot=number if kind == "robot" and not self.is_for_team else None,
            user=number if kind == "user" else None, is_public=kind == "anonymous",
        )  # fmt: skip


def plan_rules(policy: Policy, place: Place, findings: Iterable[Finding], now: datetime) -> list[Suggestion]:
    """Rules that would turn refusals of this log into grants; none for what no rule can allow. The most frequent first."""
    groups = _groups(policy, place, findings, now)
    own = [_suggested(group) for group in groups]
    helped = _that_help(policy, place, groups, own, now)
    for_teams = [
        replace(one, is_for_team=True) if one.principal.kind == "robot" and one.principal.team_ids else None
        for one, is_good in zip(own, helped, strict=True)
        if not is_good
    ]
    left = [group for group, is_good in zip(groups, helped, strict=True) if not is_good]
    pairs = [(group, one) for group, one in zip(left, for_teams, strict=True) if one is not None]
    team_helped = _that_help(policy, place, [group for group, _ in pairs], [one for _, one in pairs], now)
    kept = [one for one, is_good in zip(own, helped, strict=True) if is_good]
    kept += [one for (_, one), is_good in zip(pairs, team_helped, strict=True) if is_good]
    return sorted(_merged(kept), key=lambda one: -one.count)[:MAX_SUGGESTED]


def _groups(policy: Policy, place: Place, findings: Iterable[Finding], now: datetime) -> list[list[Finding]]:
    """By principal, action and first part of the name; what the policy refuses and is not meant to be refused."""
    groups: dict[tuple[str, str, str, str], list[Finding]] = {}
    for found in findings:
        who, row = found.principal, found.sighting
        if who is None or found.outlook != "refused" or found.is_on_purpose or row.action not in ACTIONS:
            continue
        if not _is_allowed(policy, place, found, now):
            groups.setdefault((who.kind, who.key, row.action, row.repository.partition("/")[0]), []).append(found)
    return list(groups.values())


def _is_allowed(policy: Policy, place: Place, found: Finding, now: datetime) -> bool:
    """For whom it would act as, whatever stands against the old password."""
    asking, row = replace(found.principal or ANONYMOUS, address=found.sighting.address), found.sighting
    return evaluate(policy, asking, place, row.repository, row.action, now).is_allowed


def _suggested(group: Sequence[Finding]) -> Suggestion:
    """For the principal itself: the one name, or all below what they have in common."""
    names = sorted({found.sighting.repository for found in group})
    pattern = names[0] if len(names) == 1 else f"{names[0].partition('/')[0]}/**"
    count = sum(found.sighting.count for found in group)
    return Suggestion(group[0].principal or ANONYMOUS, False, pattern, (group[0].sighting.action,), count)


def _that_help(
    policy: Policy, place: Place, groups: Sequence[Sequence[Finding]], suggestions: Sequence[Suggestion], now: datetime
) -> list[bool]:
    """Which of them would grant all that they are for, when all of them were in force."""
    rules = [one.as_rule(_FIRST_KEY + number, place.key) for number, one in enumerate(suggestions)]
    with_them = replace(policy, rules=(*policy.rules, *rules))
    return [all(_is_allowed(with_them, place, found, now) for found in group) for group in groups]


def _merged(suggestions: Iterable[Suggestion]) -> Iterable[Suggestion]:
    """One rule for a team, not one for each of its robots; one for all actions on the same names."""
    found: dict[tuple[object, ...], Suggestion] = {}
    for one in suggestions:
        whom = next(iter(one.principal.team_ids)) if one.is_for_team else (one.principal.kind, one.principal.key)
        key = (one.is_for_team, whom, one.pattern)
        known = found.get(key)
        if known is not None:
            both = {*known.actions, *one.actions}
            one = replace(  # noqa: PLW2901
                known, count=known.count + one.count, actions=tuple(action for action in ACTIONS if action in both)
            )
        found[key] = one
    return found.values()
