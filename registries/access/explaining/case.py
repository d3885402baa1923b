"""Pure: one question about access as a value, with the rules that could have a say in it. For explanations and comparisons, never on
the way to a token."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from registries.access.facts import EVERYONE, Owner, Place, Policy, Rule, Verdict
from registries.access.policy import evaluate
from registries.access.principals import Principal

_FAR = 8  # nobody puts more caches before each other


@dataclass(frozen=True)
class Case:
    """Who, what, where, when, under which policy. ``teams`` are names of teams by key, for sentences."""

    policy: Policy
    principal: Principal
    place: Place
    repository: str
    action: str
    at: datetime
    teams: dict[int, str] = field(default_factory=dict)

    @cached_property
    def verdict(self) -> Verdict:
        """The policy's word: nothing here ever says anything else."""
        return evaluate(self.policy, self.principal, self.place, self.repository, self.action, self.at)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The registry, then what it fronts, and so on: a denial counts at each of them."""
        found = [self.place]
        while found[-1].kind == "cache" and found[-1].fronts is not None and len(found) < _FAR:
            found.append(found[-1].fronts)
        return tuple(found)

    @property
    def origin(self) -> Place:
        """Where a grant has to hold."""
        return self.places[-1]

    @property
    def owner(self) -> Owner | None:
        return self.policy.owner_of(self.origin.zone_key, self.repository)

    @cached_property
    def named(self) -> tuple[Rule, ...]:
        """Rules that name the principal, one of its teams or everyone, by key; whether they speak of the question or not."""
        if not (self.principal.is_signed_in or self.principal.kind == "anonymous"):
            return ()
        whom = {EVERYONE, (self.principal.kind, self.principal.key)}
        whom |= {("team", str(team)) for team in self.principal.team_ids}
        return tuple(sorted((rule for rule in self.policy.rules if rule.whom in whom), key=lambda rule: rule.key))

    def speaks(self, rule: Rule) -> bool:
        """Whether the rule is about this very question, in force, and about such a client."""
        if self.action not in rule.actions or not rule.is_in_force(self.at) or not rule.reaches(self.principal):
            return False
        return any(rule.covers(place, self.repository) for place in self.places)

    @cached_property
    def decided_by(self) -> Rule | None:
        """The access rule that decided, where one did."""
        return next((rule for rule in self.named if rule.label == self.verdict.rule), None)

    def small(self) -> "Case":
        """The same question under a policy of the rules that could have a say; the verdict is the same."""
        return self.under(*self.named)

    def under(self, *rules: Rule) -> "Case":
        """The same question with other rules."""
        return replace(self, policy=replace(self.policy, rules=rules))
