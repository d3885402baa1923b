"""Send a request where its gates and its rules say it belongs."""

from django.utils import timezone

from portal.actor import Actor
from portal.http.problem import Problem
from portal.jobs.queue import wake
from promotions.workflow.gate_run import evidence_digest, is_blocking, run_gates
from promotions.workflow.models import GateResult, PromotionRequest, RequestState
from promotions.workflow.paths import needs_people
from promotions.workflow.quorum import outcome_of
from promotions.workflow.transition import transition

ADVANCE = "promotions.workflow.advance"


def evaluate(actor: Actor, request: PromotionRequest, *, phase: str) -> None:
    """From EVALUATING to BLOCKED, AWAITING_APPROVAL or READY; inside the caller's transaction.

    Approvals were given for what people saw: when that is another thing now, a new round begins and they count no more."""
    item = request.items.get()
    results = run_gates(request, item, phase=phase, now=timezone.now())
    seen = evidence_digest(request, item, results)
    if request.evidence_digest and request.evidence_digest != seen:
        request.round += 1
    request.evidence_digest = seen
    request.save(update_fields=["evidence_digest", "round"])
    stopped = [row for row in results if is_blocking(row)]
    if stopped:
        code, text = blocked_because(stopped)
        _move(actor, request, RequestState.BLOCKED, code, text)
        return
    settle_approvals(actor, request, expect={RequestState.EVALUATING})


def blocked_because(stopped: list[GateResult]) -> tuple[str, str]:
    """Code and sentence for the first gate that does not let it through."""
    first = stopped[0]
    code = "gate_error" if first.status == GateResult.Status.ERROR else "gate_failed"
    more = f" {len(stopped) - 1} more of the gates say no." if len(stopped) > 1 else ""
    return code, f"{first.summary}{more}"


def settle_approvals(actor: Actor, request: PromotionRequest, *, expect: set[RequestState]) -> None:
    """READY when everybody needed has agreed, else AWAITING_APPROVAL with who is missing."""
    outcome = outcome_of(request)
    if needs_people(request.path.target) and not outcome.required:
        text = f"No approval rule of the path {request.path} asks anybody about this repository; prod takes nothing so."
        raise Problem(422, "policy_unsatisfiable", text)
    if outcome.is_satisfied:
        transition(request, RequestState.READY, actor=actor, expect=expect, decided_at=timezone.now())
        wake(ADVANCE)
        return
    _move(actor, request, RequestState.AWAITING_APPROVAL, "approvals", missing_text(request), expect=expect)


def missing_text(request: PromotionRequest) -> str:
    """How many have agreed, and whom it waits for."""
    outcome = outcome_of(request)
    waiting = [
        f"{rule.name}: {', '.join(rule.can_approve) or 'nobody'}" for rule in outcome.rules if not rule.is_filled
    ]
    return f"{outcome.given} of {outcome.required} approvals. Waits for {'; '.join(waiting)}."


def _move(
    actor: Actor,
    request: PromotionRequest,
    to: RequestState,
    code: str,
    text: str,
    *,
    expect: set[RequestState] | None = None,
) -> None:
    transition(request, to, actor=actor, expect=expect or {RequestState.EVALUATING}, code=code, text=text)
