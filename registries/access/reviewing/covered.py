"""Pure: which grants add nothing, because another gives as much to the same or to more, everywhere it does and for as long?"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from registries.access.asking.patterns import covers
from registries.access.facts import EVERYONE, Rule, Whom

# By person and by robot: the teams whose rules speak of them too.
Teams = Mapping[Whom, frozenset[int]]
_WILDCARD = re.compile(r"[*?]")


def covered_rules(rules: Iterable[Rule], teams: Teams, zones: Mapping[int, int], now: datetime) -> dict[int, int]:
    """Rule -> the rule that covers it; of two that are alike the older stays. ``zones`` by registry."""
    grants = [rule for rule in rules if not rule.is_deny and (rule.ends_at is None or rule.ends_at > now)]
    by_whom: dict[Whom, dict[str, list[Rule]]] = {}
    for rule in grants:
        by_whom.setdefault(rule.whom, {}).setdefault(_stem(rule.pattern), []).append(rule)
    found: dict[int, int] = {}
    for rule in grants:
        wider = (other for other in _candidates(rule, by_whom, teams) if _covers(other, rule, zones, now))
        cover = next((other for other in wider if other.key < rule.key or not _covers(rule, other, zones, now)), None)
        if cover is not None:
            found[rule.key] = cover.key
    return found


def _candidates(rule: Rule, by_whom: Mapping[Whom, Mapping[str, list[Rule]]], teams: Teams) -> Iterator[Rule]:
    """Rules for the same or for more, whose pattern begins as this one does or sooner."""
    others = {rule.whom, EVERYONE, *(("team", str(team)) for team in teams.get(rule.whom, ()))}
    stems = _above(_stem(rule.pattern))
    for whom in sorted(others):
        for stem in stems:
            yield from (other for other in by_whom.get(whom, {}).get(stem, ()) if other.key != rule.key)


def _stem(pattern: str) -> str:
    """The whole parts of the pattern before the first that has a wildcard."""
    wild = _WILDCARD.search(pattern)
    return pattern if wild is None else pattern[: wild.start()].rpartition("/")[0]


def _above(stem: str) -> list[str]:
    parts = stem.split("/") if stem else []
    return ["/".join(parts[:end]) for end in range(len(parts) + 1)]


def _covers(wide: Rule, narrow: Rule, zones: Mapping[int, int], now: datetime) -> bool:
    return (
        wide.actions >= narrow.actions
        and _stands_wherever(wide, narrow, zones)
        and (not wide.networks or wide.networks == narrow.networks)
        and (wide.is_public or not narrow.is_public)
        and (wide.starts_at is None or wide.starts_at <= now)
        and (wide.ends_at is None or (narrow.ends_at is not None and wide.ends_at >= narrow.ends_at))
        and covers(wide.pattern, narrow.pattern)
    )


def _stands_wherever(wide: Rule, narrow: Rule, zones: Mapping[int, int]) -> bool:
    zone = zones.get(narrow.registry) if narrow.registry is not None else narrow.zone
    return wide.registry in (None, narrow.registry) and wide.zone in (None, zone)
