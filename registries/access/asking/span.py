"""Pure: whose names does a pattern mean?"""

from dataclasses import dataclass

from registries.access.asking.patterns import may_mean_below, stem_of
from registries.access.facts import Owner, Policy


@dataclass(frozen=True, slots=True)
class Span:
    """The owners of what a pattern may mean; ``is_whole`` where every one of the names is owned by somebody."""

    owners: tuple[Owner, ...]
    is_whole: bool

    @property
    def sole_team(self) -> int | None:
        """The one team that owns all of the names, if it is one."""
        teams = {owner.team_id for owner in self.owners}
        return teams.pop() if self.is_whole and len(teams) == 1 else None

    @property
    def sentence(self) -> str:
        """Who decides about such names, and why."""
        teams = sorted({owner.team for owner in self.owners})
        if self.sole_team is not None:
            return f"The names belong to team {teams[0]}, whose maintainers decide."
        if len(teams) > 1:
            return f"The pattern means names of several teams ({', '.join(teams)}), so a platform admin decides."
        if teams:
            return f"The pattern means names of team {teams[0]} and names of nobody, so a platform admin decides."
        return "The names belong to no team, so a platform admin decides."


def span_of(policy: Policy, zone_key: int, pattern: str) -> Span:
    """The longest prefix above the pattern owns it, except what others own below."""
    stem = stem_of(pattern)
    above = policy.owner_of(zone_key, stem) if stem else None
    below = [
        owner
        for (zone, prefix), owner in policy.owners.items()
        if zone == zone_key and _lies_below(stem, prefix) and may_mean_below(pattern, prefix)
    ]
    found = {owner.prefix: owner for owner in ([above] if above else []) + below}
    return Span(tuple(found[prefix] for prefix in sorted(found)), above is not None)


def _lies_below(stem: str, prefix: str) -> bool:
    return prefix.startswith(f"{stem}/") if stem else True
