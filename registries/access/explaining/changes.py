"""Pure: what would have to change for a no to become a yes? Whatever is proposed as a rule has been tried on the policy itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from registries.access.explaining.case import Case
from registries.access.explaining.losing import is_hard, near_misses
from registries.access.facts import Rule, Verdict

ADMINS, OWNERS, SELF, NOBODY = "admins", "owners", "self", "nobody"
_MOST_STEPS: Final = 12
_MOST_TEAMS: Final = 2


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would have to be otherwise. ``by`` says who can make it so: admins, owners of the names, oneself, nobody.
    ``rule`` is one to be added, ``key`` that of one that is there: the denial that would have to end, or the grant that nearly fits."""

    kind: str
    text: str
    by: tuple[str, ...] = (ADMINS,)
    rule: Rule | None = None
    key: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """``all_of`` have to go out of the way, then ``one_of`` is enough; an empty ``one_of`` means that nothing more is needed."""

    all_of: tuple[Change, ...] = ()
    one_of: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.all_of or self.one_of)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of which one alone would do; none where something else has to go first."""
        return () if self.all_of else tuple(change.rule for change in self.one_of if change.rule is not None)


NO_CHANGES: Final = Changes()


def what_would_change(case: Case) -> Changes:
    """For a refusal; nothing for a permission, and nothing for what is no name."""
    case = case.small()
    needed: list[Change] = []
    for _ in range(_MOST_STEPS):
        if case.verdict.is_allowed:
            break
        if is_hard(case):
            return Changes((), _around(case))
        step = _out_of_the_way(case)
        if step is None:
            return Changes(tuple(needed), tuple(_ways(case)))
        change, case = step
        needed.append(change)
    return Changes(tuple(needed))


def _out_of_the_way(case: Case) -> tuple[Change, Case] | None:
    """What stands before every grant, and the question without it; None where a grant is what is missing."""
    verdict, policy, principal = case.verdict, case.policy, case.principal
    if verdict.code == "narrow_credential":
        free = replace(principal, narrow_pattern="", narrow_actions="", narrow_registries="", narrow_networks="")
        return Change("credential", "another credential, one that is good for it", (SELF,)), replace(
            case, principal=free
        )
    if verdict.code == "denied_by_rule":
        rule = case.decided_by
        if rule is None:
            return None
        change = Change("end_rule", f"the end of {rule.label}", key=rule.key)
        return change, case.under(*(other for other in case.named if other != rule))
    naming = tuple(rule for rule in policy.naming if rule.label != verdict.rule)
    if verdict.code == "misnamed" and len(naming) < len(policy.naming):
        change = Change("rename", f"another name, for here {verdict.text}", (SELF, ADMINS))
        return change, replace(case, policy=replace(policy, naming=naming))
    limits = tuple(limit for limit in policy.limits if (limit.label, limit.code) != (verdict.rule, verdict.code))
    if len(limits) < len(policy.limits):
        change = Change("end_restriction", f"the end of {verdict.rule}")
        return change, replace(case, policy=replace(policy, limits=limits))
    return None


def _ways(case: Case) -> Iterator[Change]:
    """Each of which would do: a rule, another client, another time, another owner."""
    for rule, text in _candidates(case):
        if case.under(rule, *case.named).verdict.is_allowed:
            by = (OWNERS, ADMINS) if case.owner is not None and not rule.is_public else (ADMINS,)
            yield Change("rule", text, by, rule)
    yield from _nearly(case)
    owner, verdict = case.owner, case.verdict
    if verdict.code == "sign_in":
        yield Change("sign_in", "signing in: docker login with a personal token, if you then may", (SELF,))
    if verdict.code == "owned_by_other" and owner is not None:
        yield Change("namespace", f"{owner.prefix} in {case.origin.zone} belonging to a team of {case.principal}")
    if (
        owner is not None
        and case.action == "delete"
        and case.origin.kind == "sandbox"
        and case.principal.kind == "user"
    ):
        yield Change(
            "maintainer", f"being a maintainer of team {owner.team}, which owns {owner.prefix}", (OWNERS, ADMINS)
        )


def _nearly(case: Case) -> Iterator[Change]:
    """Rules that are there and would do from another network or at another time."""
    by_key = {rule.key: rule for rule in case.named}
    for miss in near_misses(case):
        rule = by_key[miss.key]
        if miss.kinds == ("network",) and _inside(case, rule).verdict.is_allowed:
            nets = ", ".join(map(str, rule.networks))
            yield Change("network", f"a client in {nets}, where {rule.label} holds", (SELF,), key=rule.key)
        elif miss.kinds == ("time",) and rule.starts_at is not None and _begun(case, rule.starts_at):
            text = f"time: from {rule.starts_at:%Y-%m-%d %H:%M} UTC on {rule.label} holds"
            yield Change("time", text, (SELF,), key=rule.key)


def _inside(case: Case, rule: Rule) -> Case:
    """The same question from a client that the rule means."""
    return replace(case, principal=replace(case.principal, address=str(rule.networks[0].network_address)))


def _begun(case: Case, starts_at: datetime) -> bool:
    """Whether it is allowed once that time has come."""
    return case.at < starts_at and replace(case, at=starts_at).verdict.is_allowed


def _candidates(case: Case) -> Iterator[tuple[Rule, str]]:
    """Rules that could help, the team's first: whoever joins it later needs none of their own."""
    principal, owner = case.principal, case.owner
    if principal.kind == "anonymous" and case.action == "pull":
        yield _rule(case, "everyone, strangers too", case.repository, is_public=True)
    owning = owner.team_id if owner is not None else 0
    for team in sorted(principal.team_ids, key=lambda key: (key != owning, key))[:_MOST_TEAMS]:
        pattern = f"{owner.prefix}/**" if owner is not None and team == owning else case.repository
        yield _rule(case, f"team {case.teams.get(team, team)}", pattern, team=team)
    if principal.kind == "user":
        yield _rule(case, str(principal), case.repository, user=int(principal.key))
    elif principal.kind == "robot":
        yield _rule(case, str(principal), case.repository, robot=int(principal.key))


def _rule(
    case: Case, who: str, pattern: str, *, is_public: bool = False, team: int | None = None, user: int | None = None,
    robot: int | None = None,
) -> tuple[Rule, str]:  # fmt: skip
    origin = case.origin
    label = f"a rule for {who} at {origin.name}: {case.action} of {pattern}"
    rule = Rule(
        0, label, False, frozenset({case.action}), pattern, team, user, robot, None, origin.key, is_public=is_public
    )
    return rule, label


# Where a hard rule stands: what leads to the same end without it. No rule and nobody changes the rule itself.
_INSTEAD: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "pipeline_only": ("promotion", "a promotion: push to a CI registry and ask for it to be promoted", (SELF,)),
    "importer_only": ("archive_entry", "an archive entry, which the importer brings in", (ADMINS,)),
    "fills_itself": ("elsewhere", "a push to what it fronts, for those who may", (SELF,)),
    "not_ours": ("elsewhere", "a push to a registry of ours, for example a sandbox", (SELF,)),
    "ci_only": ("ci", "a push from a CI job, with a robot account of kind CI", (SELF, ADMINS)),
    "keyless_only": (
        "keyless",
        "a keyless login: the job exchanges its identity token for a credential",
        (SELF, ADMINS),
    ),
    "plan_only": ("cleanup_plan", "a cleanup plan, or a rule of retention", (ADMINS,)),
    "no_robots": ("elsewhere", "a CI registry, to which CI pushes the image", (SELF,)),
    "sign_in": ("sign_in", "signing in: docker login with a personal token, if you then may", (SELF,)),
}


def _around(case: Case) -> tuple[Change, ...]:
    verdict: Verdict = case.verdict
    if case.principal.kind == "system":
        return ()
    found = _INSTEAD.get(verdict.code)
    return (Change(*found),) if found else ()
