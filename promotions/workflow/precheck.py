"""Is what was approved still what would happen? Asked right before anything is done, under the pinned policy and today's rows."""

from dataclasses import dataclass

from django.utils import timezone

from portal.http.problem import Problem
from promotions.workflow.ask import Ask, check_path, check_source
from promotions.workflow.baseline import current_digests
from promotions.workflow.evaluation import blocked_because, missing_text
from promotions.workflow.gate_run import evidence_digest, is_blocking, run_gates
from promotions.workflow.models import PromotionItem, PromotionRequest, RequestState
from promotions.workflow.paths import needs_people
from promotions.workflow.quorum import outcome_of
from promotions.workflow.standing import check_requester


@dataclass(frozen=True)
class Drift:
    """Something changed. ``to`` is where the request has to go back to; ``is_void``: what was agreed to is something else now."""

    to: RequestState
    code: str
    text: str
    is_void: bool = False


def find_drift(request: PromotionRequest) -> Drift | None:
    """The first thing that is not as it was approved; None when all is. Writes the gates' new results."""
    item = request.items.get()
    return (
        path_drift(request)
        or _people(request)
        or _places(request, item)
        or tag_drift(request, item)
        or _gates(request, item)
    )


def path_drift(request: PromotionRequest) -> Drift | None:
    """Whoever agreed, agreed to one target: a path that was led elsewhere since takes nothing there in their name."""
    then = (request.policy.body["source"], request.policy.body["target"])
    now = (request.path.source.name, request.path.target.name)
    if then == now:
        return None
    text = f"The path {request.path} led from {then[0]} to {then[1]} when this was asked for, and leads from {now[0]} to {now[1]} now."
    return Drift(RequestState.BLOCKED, "path_changed", text, is_void=True)


def _people(request: PromotionRequest) -> Drift | None:
    outcome = outcome_of(request)
    if outcome.is_satisfied and (outcome.required or not needs_people(request.path.target)):
        return None
    text = f"Some who agreed may not any more. {missing_text(request)}"
    return Drift(RequestState.AWAITING_APPROVAL, "approver_ineligible", text)


def _places(request: PromotionRequest, item: PromotionItem) -> Drift | None:
    """The path, the artifact in the source, and whoever asked are still good."""
    tags = tuple(item.target_tags)
    ask = Ask(request.path, item.source_repository, item.digest, "", item.target_repository, tags)
    try:
        check_path(ask)
        check_source(ask)
        check_requester(ask, request.robot, request.on_behalf_of)
    except Problem as problem:
        code = "requester_ineligible" if problem.code in {"not_allowed", "requester_inactive"} else problem.code
        return Drift(RequestState.BLOCKED, code, problem.detail)
    return None


def tag_drift(request: PromotionRequest, item: PromotionItem) -> Drift | None:
    """A tag that has the artifact already was put by an earlier try."""
    now = current_digests(request.path.target, item.target_repository, list(item.target_tags))
    for tag, digest in now.items():
        expected = item.expected_digests.get(tag, "")
        if digest not in (expected, str(item.digest)):
            was, found = expected or "absent", digest or "absent"
            text = f"{request.path.target}/{item.target_repository}:{tag} was {was} when this was asked for, and is {found} now."
            return Drift(RequestState.BLOCKED, "drift", text, is_void=True)
    return None


def _gates(request: PromotionRequest, item: PromotionItem) -> Drift | None:
    results = run_gates(request, item, phase="pre_execute", now=timezone.now())
    stopped = [row for row in results if is_blocking(row)]
    if stopped:
        return Drift(RequestState.BLOCKED, *blocked_because(stopped), is_void=True)
    if evidence_digest(request, item, results) != request.evidence_digest:
        text = "The gates say something else than what was on the page when people agreed."
        return Drift(RequestState.BLOCKED, "drift", text, is_void=True)
    return None
