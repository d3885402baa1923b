"""What would a rule change? Answered by the policy itself, once without the rule and once with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from portal.users.models import Team, User
from registries.access.asking.patterns import example_of
from registries.access.facts import Policy, Rule, Verdict
from registries.access.models import RobotAccount
from registries.access.policy import evaluate
from registries.access.principals import Principal
from registries.access.snapshot import Snapshot
from registries.access.who import principal_of
from registries.topology.models import Registry

Subject = User | Team | RobotAccount
_INSTANT: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Effect:
    """One action on one repository, without the rule and with it."""

    repository: str
    action: str
    before: Verdict
    after: Verdict

    @property
    def is_change(self) -> bool:
        return self.before.is_allowed != self.after.is_allowed


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted for whom, as a rule that is not there yet."""

    subject: Subject
    registry: Registry
    pattern: str
    actions: tuple[str, ...]
    ends_at: datetime

    def as_rule(self) -> Rule:
        """In force from whenever on, under a label of its own."""
        subject = self.subject
        return Rule(
            0,
            "what is asked for",
            False,
            frozenset(self.actions),
            self.pattern,
            team=subject.pk if isinstance(subject, Team) else None,
            user=subject.pk if isinstance(subject, User) else None,
            robot=subject.pk if isinstance(subject, RobotAccount) else None,
            registry=self.registry.pk,
            ends_at=self.ends_at,
        )


def effects_of(snapshot: Snapshot, wish: Wish, now: datetime, repositories: Sequence[str] = ()) -> tuple[Effect, ...]:
    """Per repository and action; without repositories for a name that stands for all that the pattern means."""
    principals = principals_of(wish.subject)
    names = repositories or (example_of(wish.pattern),)
    return tuple(
        _best([_effect(snapshot, wish, principal, name, action, now) for principal in principals])
        for name in names
        for action in wish.actions
    )


def lasting_effects(snapshot: Snapshot, wish: Wish, now: datetime) -> tuple[Effect, ...]:
    """As it is now and as it will be at the end: what is allowed or forbidden only for a while counts as neither."""
    pairs = zip(
        effects_of(snapshot, wish, now), effects_of(snapshot, wish, max(now, wish.ends_at - _INSTANT)), strict=True
    )
    return tuple(_lasting(first, last) for first, last in pairs)


def _lasting(first: Effect, last: Effect) -> Effect:
    before = last.before if first.before.is_allowed else first.before
    after = last.after if not first.after.is_allowed else first.after
    return replace(first, before=before, after=after)


def principals_of(subject: Subject) -> list[Principal]:
    """Who would use the rule: for a team somebody of it, and a robot of each kind that it has. A keyless zone is no obstacle here,
    since a job may come with an identity token."""
    if isinstance(subject, RobotAccount):
        return [replace(principal_of(subject), is_keyless=True)]
    if isinstance(subject, User):
        return [principal_of(subject)]
    team = frozenset({subject.pk})
    kinds = sorted(set(subject.robots.filter(is_active=True).values_list("kind", flat=True)))
    return [
        Principal("user", "", f"team {subject}", team_ids=team),
        *(Principal("robot", "", f"a robot of team {subject}", kind, team, is_keyless=True) for kind in kinds),
    ]


def _effect(
    snapshot: Snapshot, wish: Wish, principal: Principal, repository: str, action: str, now: datetime
) -> Effect:
    place, policy = snapshot.place(wish.registry), snapshot.policy
    before = evaluate(policy, principal, place, repository, action, now)
    after = evaluate(_with(policy, principal, repository, wish.as_rule()), principal, place, repository, action, now)
    return Effect(repository, action, before, after)


def _with(policy: Policy, principal: Principal, repository: str, rule: Rule) -> Policy:
    """Of tens of thousands of rules only those that speak of it, and the new one."""
    return replace(policy, rules=(*policy.rules_near(principal, repository), rule))


def _best(effects: Iterable[Effect]) -> Effect:
    """Of several who would use it: one for whom it changes something, else one who may."""
    return min(effects, key=lambda effect: (not effect.is_change, not effect.after.is_allowed))
