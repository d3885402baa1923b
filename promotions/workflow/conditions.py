"""What is still missing, and who can clear each? One list, whatever floor it comes from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.approvals.matching import Outcome
from promotions.gates import GATES
from promotions.workflow.gate_run import is_blocking
from promotions.workflow.models import GateResult, PromotionRequest, RequestState
from promotions.workflow.regions import Region
from promotions.workflow.states import UNDECIDED

ORDER = ["error", "fail", "pending", "warn", "pass"]
SIGNS = {"error": "broken", "fail": "broken", "pending": "attention", "warn": "attention", "pass": "well"}


@dataclass(frozen=True)
class Condition:
    """``who`` can clear it, and how."""

    text: str
    who: str
    sign: str = "attention"


@dataclass(frozen=True)
class GateLine:
    """One gate's verdict for people."""

    name: str
    title: str
    status: str
    sign: str
    summary: str
    remediation: str
    details: dict[str, Any]
    evidence: list[dict[str, str]]
    is_blocking: bool
    at: datetime

    @property
    def is_passed(self) -> bool:
        return self.status == GateResult.Status.PASS

    @property
    def faults(self) -> list[str]:
        """More than the first, which the summary has."""
        listed = self.details.get("faults", [])
        return [str(fault) for fault in listed] if len(listed) > 1 else []


def gate_lines(results: Sequence[GateResult]) -> tuple[GateLine, ...]:
    """Failures first, then warnings, passes last."""
    return tuple(_line(row) for row in sorted(results, key=lambda row: ORDER.index(row.status)))


def _line(row: GateResult) -> GateLine:
    known = GATES.get(row.gate)
    return GateLine(
        name=row.gate,
        title=known.title if known else row.gate,
        status=row.status,
        sign=SIGNS[row.status],
        summary=row.summary,
        remediation=row.remediation,
        details=row.details,
        evidence=row.evidence,
        is_blocking=is_blocking(row),
        at=row.evaluated_at,
    )


def conditions_of(
    request: PromotionRequest, gates: Sequence[GateLine], outcome: Outcome, regions: Sequence[Region]
) -> tuple[Condition, ...]:
    """Nothing is missing any more when it is empty."""
    return tuple(_conditions(request, gates, outcome, regions))


def _conditions(
    request: PromotionRequest, gates: Sequence[GateLine], outcome: Outcome, regions: Sequence[Region]
) -> Iterator[Condition]:
    if request.state in UNDECIDED:
        yield from _gate_conditions(request, gates)
        yield from _rule_conditions(outcome)
    if request.state == RequestState.BLOCKED and not any(line.is_blocking for line in gates):
        yield Condition(request.reason_text, _asker(request), "broken")
    if request.state == RequestState.FAILED:
        yield Condition(request.reason_text, f"{_asker(request)} or a release manager can try again", "broken")
    if request.state == RequestState.PROMOTED:
        yield from _region_conditions(regions)


def _gate_conditions(request: PromotionRequest, gates: Sequence[GateLine]) -> Iterator[Condition]:
    for line in gates:
        if line.is_blocking:
            who = line.remediation or "A platform admin can look at how the gate is set up."
            yield Condition(f"{line.title}: {line.summary}", f"{_asker(request)}. {who}", line.sign)


def _rule_conditions(outcome: Outcome) -> Iterator[Condition]:
    for rule in outcome.rules:
        if rule.is_filled:
            continue
        missing = rule.required - len(rule.filled_by)
        noun = "approval is" if missing == 1 else "approvals are"
        who = ", ".join(rule.can_approve)
        sign = "broken" if rule.is_impossible else "attention"
        yield Condition(
            f"{rule.name}: {missing} more {noun} needed", who or "nobody who may is left: fill the role", sign
        )


def _region_conditions(regions: Sequence[Region]) -> Iterator[Condition]:
    for region in regions:
        if not region.is_there and region.state != "off":
            text = f"{region.registry} does not have {region.tag} yet. {region.text}".strip()
            yield Condition(text, "Replication tries by itself.", "broken" if region.is_broken else "attention")


def _asker(request: PromotionRequest) -> str:
    return f"{request.on_behalf_of}"
