"""Pure: are all slots of all rules filled, by whom, and who could fill the rest?

An approval is not tied to the first rule it fits: people and slots form a bipartite graph, and the rules are satisfied if and
only if a maximum matching fills every slot (Kuhn's augmenting paths). One person fills one slot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class RuleNeed:
    """``required`` of ``eligible`` people must agree; those who may not (requester, builder) are already left out."""

    name: str
    required: int
    eligible: frozenset[str]


@dataclass(frozen=True)
class RuleOutcome:
    """What became of one rule. ``can_approve`` may still fill an open slot; ``is_impossible``: too few eligible people exist."""

    name: str
    required: int
    filled_by: tuple[str, ...]
    can_approve: tuple[str, ...]
    is_impossible: bool

    @property
    def is_filled(self) -> bool:
        return len(self.filled_by) >= self.required


@dataclass(frozen=True)
class Outcome:
    """All rules together."""

    rules: tuple[RuleOutcome, ...]

    @property
    def is_satisfied(self) -> bool:
        return all(rule.is_filled for rule in self.rules)

    @property
    def is_impossible(self) -> bool:
        return any(rule.is_impossible for rule in self.rules)

    @property
    def required(self) -> int:
        return sum(rule.required for rule in self.rules)

    @property
    def given(self) -> int:
        return sum(len(rule.filled_by) for rule in self.rules)


def match_approvals(needs: Sequence[RuleNeed], approved_by: Sequence[str]) -> Outcome:
    """Fill the slots of ``needs`` with the people of ``approved_by`` in the best possible way."""
    filled = _matching(needs, approved_by)
    everyone = sorted(set().union(*(need.eligible for need in needs))) if needs else []
    best = _matching(needs, everyone)
    return Outcome(tuple(_outcome(index, need, filled, best, set(approved_by)) for index, need in enumerate(needs)))


def _outcome(
    index: int, need: RuleNeed, filled: Mapping[str, int], best: Mapping[str, int], approved: set[str]
) -> RuleOutcome:
    mine = tuple(sorted(person for person, rule in filled.items() if rule == index))
    open_to = () if len(mine) >= need.required else tuple(sorted(need.eligible - approved))
    possible = sum(1 for rule in best.values() if rule == index)
    return RuleOutcome(need.name, need.required, mine, open_to, possible < need.required)


def _matching(needs: Sequence[RuleNeed], people: Sequence[str]) -> dict[str, int]:
    """Person -> index of the rule whose slot they fill."""
    slots = [index for index, need in enumerate(needs) for _ in range(need.required)]
    holder: dict[int, str] = {}

    def place(person: str, seen: set[int]) -> bool:
        for slot, index in enumerate(slots):
            if slot in seen or person not in needs[index].eligible:
                continue
            seen.add(slot)
            if slot not in holder or place(holder[slot], seen):
                holder[slot] = person
                return True
        return False

    for person in dict.fromkeys(people):
        place(person, set())
    return {person: slots[slot] for slot, person in holder.items()}
