"""Pure: two policies that differ in a few rules, and whom the difference turns a verdict for."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from registries.access.facts import Place, Policy, Rule, Verdict
from registries.access.policy import evaluate
from registries.access.principals import Principal


@dataclass(frozen=True)
class PolicyChange:
    """``now`` and ``then``, and a policy of just the rules that are in one of them alone."""

    now: Policy
    then: Policy
    changed: Policy

    def turned(
        self, who: Principal, place: Place, repository: str, action: str, at: datetime
    ) -> tuple[Verdict, Verdict] | None:
        """Both verdicts where one is a yes and the other a no. Where none of the changed rules begins like the name nothing turns, and
        nothing has to be decided."""
        if next(self.changed.rules_near(who, repository), None) is None:
            return None
        before = evaluate(self.now, who, place, repository, action, at)
        after = evaluate(self.then, who, place, repository, action, at)
        return None if before.is_allowed == after.is_allowed else (before, after)


def change_policy(now: Policy, begun: Iterable[Rule], gone: Collection[int]) -> PolicyChange:
    """The policy with the rules ``begun``, and without those whose keys are ``gone``."""
    added = tuple(begun)
    ended = tuple(rule for rule in now.rules if rule.key in gone)
    kept = (rule for rule in now.rules if rule.key not in gone)
    then = replace(now, rules=tuple(sorted((*kept, *added), key=lambda rule: rule.key)))
    return PolicyChange(now, then, Policy((*ended, *added)))
