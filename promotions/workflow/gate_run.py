"""Run the pinned gates over a request and write down what they said. From rows alone."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Max

from promotions.gates.base import ImageEvidence, Status, Verdict
from promotions.gates.evaluation import evaluate_gate
from promotions.workflow.collect import NotInCatalog, evidence_for
from promotions.workflow.models import GateConfig, GateResult, PromotionItem, PromotionRequest
from promotions.workflow.snapshot import fingerprint


def run_gates(request: PromotionRequest, item: PromotionItem, *, phase: str, now: datetime) -> list[GateResult]:
    """One evaluation of every pinned gate; ``phase`` is submit, manual or pre_execute."""
    last = request.gate_results.aggregate(last=Max("evaluation"))["last"] or 0
    evidence = _evidence(item)
    rows = [
        _result(request, item, config, _judge(config, evidence, now), last + 1, phase, now)
        for config in request.policy.body["gates"]
    ]
    return GateResult.objects.bulk_create(rows)


def _evidence(item: PromotionItem) -> ImageEvidence | None:
    try:
        return evidence_for(item)
    except NotInCatalog:
        return None


def _judge(config: dict[str, Any], evidence: ImageEvidence | None, now: datetime) -> Verdict:
    if evidence is None:
        return Verdict(Status.ERROR, "The artifact is not in the catalog, so nothing can be said about it.")
    return evaluate_gate(config["gate"], evidence, config["parameters"], now)


def _result(
    request: PromotionRequest,
    item: PromotionItem,
    config: dict[str, Any],
    verdict: Verdict,
    evaluation: int,
    phase: str,
    now: datetime,
) -> GateResult:
    is_warning = config["enforcement"] == GateConfig.Enforcement.WARN and verdict.status == Status.FAIL
    return GateResult(
        request=request,
        item=item,
        evaluation=evaluation,
        phase=phase,
        gate=config["gate"],
        enforcement=config["enforcement"],
        status=GateResult.Status.WARN if is_warning else verdict.status.value,
        summary=verdict.summary[:500],
        details=dict(verdict.details),
        evidence=[dict(entry) for entry in verdict.evidence],
        remediation="" if verdict.status == Status.PASS else (config["remediation"] or verdict.remediation)[:500],
        evaluated_at=now,
    )


def is_blocking(result: GateResult) -> bool:
    """Only a pass, or a gate that merely warns, lets an artifact through."""
    return result.enforcement == GateConfig.Enforcement.BLOCK and result.status != GateResult.Status.PASS


def latest_results(request: PromotionRequest) -> list[GateResult]:
    """The last evaluation, in the order of the policy."""
    last = request.gate_results.aggregate(last=Max("evaluation"))["last"]
    return list(request.gate_results.filter(evaluation=last).order_by("id")) if last else []


def evidence_digest(request: PromotionRequest, item: PromotionItem, results: Iterable[GateResult]) -> str:
    """What a decision is bound to: the artifact, where it goes, what the gates said, what would change, under which policy."""
    said = [[row.gate, row.enforcement, row.status, row.summary] for row in results]
    shown = {
        "digest": str(item.digest),
        "source": item.source_repository,
        "target": item.target_repository,
        "tags": item.target_tags,
        "expected": item.expected_digests,
        "difference": item.difference,
        "gates": said,
        "policy": request.policy.hash,
    }
    return f"sha256:{fingerprint(shown)}"
