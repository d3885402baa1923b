"""Why may somebody, or why not? Answered by the very function that tokens are made by."""

from dataclasses import dataclass
from datetime import datetime

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
    """``reason`` and ``fix`` are sentences; ``rule`` decided, ``lost`` spoke too and did not count; ``note`` says how far our word
    reaches there, empty where the registry trusts our tokens."""

    is_allowed: bool
    code: str
    reason: str
    fix: str = ""
    rule: str = ""
    lost: tuple[str, ...] = ()
    note: str = ""

    @property
    def sentence(self) -> str:
        return f"{'allowed' if self.is_allowed else 'denied'}: {self.reason}"


def explain(principal: Principal, action: str, registry: Registry, repository: str, now: datetime) -> Explanation:
    """One action on one repository."""
    return explain_from(current_snapshot(), principal, action, registry, repository, now)


def explain_from(
    snapshot: Snapshot, principal: Principal, action: str, registry: Registry, repository: str, now: datetime
) -> Explanation:
    """As explain, for pages that ask many questions about one moment; it needs no query."""
    verdict = evaluate(snapshot.policy, principal, snapshot.place(registry), repository, action, now)
    return _explained(verdict, registry)


def _explained(verdict: Verdict, registry: Registry) -> Explanation:
    note = REACH_NOTES.get(Reach(registry.reach), "")
    return Explanation(verdict.is_allowed, verdict.code, verdict.text, verdict.fix, verdict.rule, verdict.lost, note)
