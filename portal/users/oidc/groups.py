"""Pure: what do the groups somebody is in make of their teams and roles?"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

MEMBER, MAINTAINER = "member", "maintainer"


@dataclass(frozen=True, slots=True)
class Followed:
    """A team whose people a group decides, and what somebody is there now: "member", "maintainer" or nothing."""

    key: int
    group: str
    maintainer_group: str
    held: str


@dataclass(frozen=True, slots=True)
class Step:
    """One membership to be changed. ``role`` is empty where the person leaves; ``group`` is the one that decided."""

    key: int
    role: str
    group: str


def owner_of(group: str, prefixes: Mapping[str, str]) -> str:
    """The key of the provider whose word counts for a group: the one with the longest prefix that fits; empty for none."""
    fitting = {key: prefix for key, prefix in prefixes.items() if group.startswith(prefix)}
    return max(fitting, key=lambda key: len(fitting[key])) if fitting else ""


def plan_teams(groups: Collection[str], teams: Iterable[Followed]) -> list[Step]:
    """Joins, leaves and changes. Where no group names the maintainers, a member whom somebody made one by hand stays one."""
    steps = []
    for team in teams:
        leads = bool(team.maintainer_group) and team.maintainer_group in groups
        if leads:
            wanted = MAINTAINER
        elif team.group not in groups:
            wanted = ""
        else:
            wanted = MAINTAINER if team.held == MAINTAINER and not team.maintainer_group else MEMBER
        if wanted != team.held:
            steps.append(Step(team.key, wanted, team.maintainer_group if leads else team.group))
    return steps


def plan_roles(
    groups: Collection[str], role_groups: Mapping[str, Collection[str]], held: Collection[str]
) -> tuple[list[str], list[str]]:
    """Roles to give and to take. Roles that no group is configured for stay as they are."""
    earned = {role for role, names in role_groups.items() if not set(names).isdisjoint(groups)}
    give = sorted(earned - set(held))
    take = sorted((set(role_groups) & set(held)) - earned)
    return give, take
