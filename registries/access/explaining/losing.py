"""Pure: which rules spoke and did not decide, which nearly spoke, and why. For explanations alone; no token waits for it."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from portal.globs import matches
from registries.access.explaining.case import Case
from registries.access.facts import Rule
from registries.access.hard_rules import hard_verdict

MOST_NEAR: Final = 5
_TOO_FAR: Final = 2


@dataclass(frozen=True, slots=True)
class Lost:
    """What spoke of the question and did not decide it. ``key`` is that of the access rule, 0 where it is none."""

    label: str
    why: str
    key: int = 0

    def __str__(self) -> str:
        return f"{self.label}: {self.why}"


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that names the principal or one of its teams, or everyone, and does not speak of the question; each thing that does not
    fit is a sentence. ``kinds`` are action, place, pattern, time, network and stranger."""

    label: str
    key: int
    why: tuple[str, ...]
    kinds: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.label}: {'; '.join(self.why)}"


def losers(case: Case) -> tuple[Lost, ...]:
    """Everything that spoke and did not decide, in the order of keys; last what is no access rule, such as a zone's default."""
    decided = case.decided_by
    spoke = [rule for rule in case.named if rule != decided and case.speaks(rule)]
    found = [Lost(rule.label, _why_lost(case, rule), rule.key) for rule in spoke]
    known = {rule.label for rule in spoke}
    others = [Lost(label, _above(case)) for label in case.verdict.lost if label not in known]
    return (*found, *others)


def _why_lost(case: Case, rule: Rule) -> str:
    verdict = case.verdict
    if rule.is_deny:
        return f"it denies as well; {verdict.rule or 'something else'} was looked at first"
    if not rule.covers(case.origin, case.repository):
        return (
            f"a cache gives to nobody what its origin would not give; the rule would have to hold at {case.origin.name}"
        )
    if verdict.is_allowed:
        return f"it allows it as well; {verdict.rule or 'something else'} was looked at first"
    return _above(case)


def _above(case: Case) -> str:
    """What a grant met that is stronger."""
    verdict = case.verdict
    if is_hard(case):
        return f"{verdict.rule or 'a hard rule'} stands above every rule"
    sentences = {
        "narrow_credential": "the credential that was shown is good for less than its owner",
        "denied_by_rule": "a denial beats every grant",
        "misnamed": f"{verdict.rule} stands above it: the name does not do",
        "beyond_team": "it names the robot, whose team may not, and a robot never does more than its team",
        "owned_by_other": f"{verdict.text}",
    }
    return sentences.get(verdict.code) or f"{verdict.rule or verdict.code} stands above it, for everybody"


def is_hard(case: Case) -> bool:
    """Whether a hard rule decided, at the registry or at what it fronts."""
    verdict = case.verdict
    found = (hard_verdict(case.principal, place, case.action) for place in case.places)
    return any(hard is not None and (hard.code, hard.rule) == (verdict.code, verdict.rule) for hard in found)


def near_misses(case: Case) -> tuple[NearMiss, ...]:
    """Of a refusal the grants that nearly fit, of a permission the denials that only wait for their time or another network. The
    nearest first, and few. None where no rule has anything to say."""
    if is_hard(case) or case.verdict.code in ("unknown_action", "bad_name"):
        return ()
    wanted = (rule for rule in case.named if rule.is_deny == case.verdict.is_allowed)
    scored = ((_distance(case, rule, found), found) for rule in wanted if (found := _miss(case, rule)) is not None)
    return tuple(found for _, found in heapq.nsmallest(MOST_NEAR, scored, key=lambda pair: pair[0]))


def _miss(case: Case, rule: Rule) -> NearMiss | None:
    misfits = tuple(_misfits(case, rule))
    kinds = tuple(kind for kind, _ in misfits)
    if not misfits or len(misfits) > _TOO_FAR:
        return None
    if case.verdict.is_allowed and not {"time", "network"}.issuperset(kinds):
        return None
    if "pattern" in kinds and not _common_parts(rule.plain, case.repository):
        return None
    return NearMiss(rule.label, rule.key, tuple(text for _, text in misfits), kinds)


def _misfits(case: Case, rule: Rule) -> Iterator[tuple[str, str]]:
    """Kind and sentence of each thing that keeps the rule from speaking of the question."""
    if case.action not in rule.actions:
        yield "action", f"it speaks of {' and '.join(sorted(rule.actions))}, not of {case.action}"
    if not any(rule.stands_at(place) for place in case.places):
        yield "place", f"it holds elsewhere, not at {case.place.name}"
    if not matches(rule.pattern, case.repository):
        yield "pattern", f"{rule.pattern} does not mean {case.repository}"
    if rule.starts_at is not None and case.at < rule.starts_at:
        yield "time", f"it is not in force until {rule.starts_at:%Y-%m-%d %H:%M} UTC"
    if rule.ends_at is not None and rule.ends_at <= case.at:
        yield "time", f"it ended on {rule.ends_at:%Y-%m-%d %H:%M} UTC"
    if case.principal.kind == "anonymous" and not (rule.is_public or rule.is_deny):
        yield "stranger", "it speaks of people and robots who are signed in, not of strangers"
    elif not rule.reaches(case.principal):
        where = (
            f"the client is at {case.principal.address}"
            if case.principal.address
            else "where the client is was not said"
        )
        yield "network", f"it holds from {', '.join(map(str, rule.networks))} alone, and {where}"


def _distance(case: Case, rule: Rule, found: NearMiss) -> tuple[int, int, int, int, int]:
    """The less, the nearer: few misfits, of a kind that is easily mended, a name much alike, a rule that names somebody."""
    weights = {"network": 0, "time": 1, "stranger": 2, "action": 3, "place": 4, "pattern": 5}
    ended = rule.ends_at is not None and rule.ends_at <= case.at
    return (
        len(found.kinds) + ended,
        sum(weights[kind] for kind in found.kinds),
        -_common_parts(rule.plain, case.repository),
        rule.whom[0] == "everyone",
        rule.key,
    )


def _common_parts(one: str, other: str) -> int:
    """With how many parts both begin."""
    count = 0
    for mine, theirs in zip(one.split("/"), other.split("/"), strict=False):
        if mine != theirs or not mine:
            break
        count += 1
    return count
