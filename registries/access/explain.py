"""Why may somebody, or why not? Answered by the very function that tokens are made by."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from portal.users.models import Team
from registries.access.explaining.case import Case
from registries.access.explaining.changes import NO_CHANGES, Changes, what_would_change
from registries.access.explaining.losing import Lost, NearMiss, is_hard, losers, near_misses
from registries.access.explaining.question import Question
from registries.access.explaining.whom_to_ask import Asked, whom_to_ask
from registries.access.facts import Verdict
from registries.access.policy import evaluate
from registries.access.principals import Principal
from registries.access.snapshot import Snapshot, current_snapshot
from registries.topology.models import Reach, Registry

REACH_NOTES = {
    Reach.BROKERED: "The registry decides by its own accounts, which the portal manages; this is what they ought to say.",
    Reach.OBSERVED: "The registry does not ask the portal, so this is what ought to hold there, not what does.",
}


@dataclass(frozen=True)
class Explanation:
    """``reason`` and ``fix`` are sentences; ``rule`` decided, and has the key ``rule_key`` where it is an access rule. ``note`` says how
    far our word reaches there, empty where the registry trusts our tokens. The rest is there in answer to a whole question: what spoke
    too and ``lost``, what nearly spoke, what would have to change, and whom to ask."""

    is_allowed: bool
    code: str
    reason: str
    fix: str = ""
    rule: str = ""
    note: str = ""
    rule_key: int = 0
    lost: tuple[Lost, ...] = ()
    near: tuple[NearMiss, ...] = ()
    changes: Changes = NO_CHANGES
    ask: tuple[Asked, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        return f"{'allowed' if self.is_allowed else 'denied'}: {self.reason}"


def explain(principal: Principal, action: str, registry: Registry, repository: str, now: datetime) -> Explanation:
    """One action on one repository, in short: the verdict and its reason."""
    return explain_from(current_snapshot(), principal, action, registry, repository, now)


def explain_from(
    snapshot: Snapshot, principal: Principal, action: str, registry: Registry, repository: str, now: datetime
) -> Explanation:
    """As explain, for pages that ask many questions about one moment; it needs no query."""
    verdict = evaluate(snapshot.policy, principal, snapshot.place(registry), repository, action, now)
    return _in_short(verdict, registry)


def explain_whole(question: Question) -> Explanation:
    """Everything there is to say, for somebody who reads it."""
    case = case_of(question)
    short = _in_short(case.verdict, question.registry)
    owner = case.owner
    changes = what_would_change(case)
    hard_rule = case.verdict.rule if is_hard(case) and not case.verdict.is_allowed else ""
    team = Team.objects.filter(pk=owner.team_id).first() if owner is not None else None
    decided = case.decided_by
    return Explanation(
        short.is_allowed,
        short.code,
        short.reason,
        short.fix,
        short.rule,
        short.note,
        decided.key if decided is not None else 0,
        losers(case),
        near_misses(case),
        changes,
        whom_to_ask(changes, hard_rule, team),
        question.notes,
    )


def case_of(question: Question) -> Case:
    """The question under the policy of this moment."""
    snapshot = current_snapshot()
    principal = question.principal
    teams = dict(Team.objects.filter(pk__in=principal.team_ids).values_list("pk", "name"))
    place = snapshot.place(question.registry)
    return Case(snapshot.policy, principal, place, question.repository, question.action, question.at, teams)


def facts_of(question: Question, found: Explanation) -> dict[str, Any]:
    """Question and answer for machines: the same in the API and on the command line."""
    return {
        "who": question.who,
        "action": question.action,
        "registry": question.registry.name,
        "repository": question.repository,
        "address": question.principal.address,
        "credential": question.credential,
        "at": question.at,
        "is_allowed": found.is_allowed,
        "code": found.code,
        "reason": found.reason,
        "fix": found.fix,
        "rule": found.rule,
        "rule_key": found.rule_key or None,
        "lost": [{"rule": lost.label, "rule_key": lost.key or None, "why": lost.why} for lost in found.lost],
        "near": [{"rule": miss.label, "rule_key": miss.key, "why": list(miss.why)} for miss in found.near],
        "needed": [{"kind": change.kind, "text": change.text} for change in found.changes.all_of],
        "changes": [{"kind": change.kind, "text": change.text} for change in found.changes.one_of],
        "ask": [asdict(asked) for asked in found.ask],
        "notes": [*found.notes, *((found.note,) if found.note else ())],
    }


def _in_short(verdict: Verdict, registry: Registry) -> Explanation:
    note = REACH_NOTES.get(Reach(registry.reach), "")
    return Explanation(verdict.is_allowed, verdict.code, verdict.text, verdict.fix, verdict.rule, note)
