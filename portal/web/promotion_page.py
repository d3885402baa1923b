"""Everything the page of one promotion shows, from rows alone."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from portal.approvals.queries import decisions_on
from portal.users.models import User
from portal.web.map_model import State
from portal.web.promotion_rows import SIGNS, STEPS
from promotions.workflow.models import Execution, GateResult, PromotionRequest, RequestState
from promotions.workflow.quorum import barred_people, outcome_of
from promotions.workflow.regions import regions_of
from promotions.workflow.standing import may_steer
from promotions.workflow.states import ENDED, UNDECIDED

GATE_SIGNS: dict[str, State] = {
    "pass": "well",
    "warn": "attention",
    "fail": "broken",
    "pending": "unknown",
    "error": "broken",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way, and how far it is: done, now, stopped or open."""

    word: str
    progress: str


def page_of(request: PromotionRequest, viewer: User) -> dict[str, object]:
    """The context of the page."""
    items = list(request.items.all())
    execution = Execution.objects.filter(request=request).select_related("copy_job").order_by("-id").first()
    barred = barred_people(request).get(viewer.username, "")
    outcome = outcome_of(request)
    can_decide = any(viewer.username in rule.can_approve for rule in outcome.rules)
    return {
        "promotion": request,
        "sign": SIGNS.get(request.state, "unknown"),
        "steps": steps_of(request),
        "items": items,
        "gates": gates_of(request),
        "outcome": outcome,
        "decisions": decisions_on(request),
        "regions": [region for item in items for region in regions_of(request, item)],
        "execution": execution,
        "copy": execution.copy_job if execution else None,
        "barred": barred,
        "review_url": review_address(request) if can_decide and not barred else "",
        "can_cancel": _is_cancellable(request) and may_steer(viewer.actor, request),
        "is_live": request.state not in ENDED or request.state == RequestState.PROMOTED,
    }


def steps_of(request: PromotionRequest) -> list[Step]:
    """Where the request stands on its way."""
    here = next((place for place, (_, states) in enumerate(STEPS) if request.state in states), None)
    if here is None:  # it ended before the end of the way
        here = 2 if request.state == RequestState.FAILED else 1
        return [
            Step(word, "done" if place < here else "stopped" if place == here else "open")
            for place, (word, _) in enumerate(STEPS)
        ]
    last = len(STEPS) - 1
    stopped = request.state == RequestState.BLOCKED
    now = "done" if here == last else "stopped" if stopped else "now"
    return [
        Step(word, "done" if place < here else now if place == here else "open")
        for place, (word, _) in enumerate(STEPS)
    ]


def gates_of(request: PromotionRequest) -> list[tuple[GateResult, State]]:
    """The newest verdict of each gate on each item."""
    newest: dict[tuple[int, str], GateResult] = {}
    for result in GateResult.objects.filter(request=request).order_by("id"):
        newest[result.item_id, result.gate] = result
    return [(result, GATE_SIGNS.get(result.status, "unknown")) for result in newest.values()]


def review_address(request: PromotionRequest) -> str:
    """The approval page in the admin."""
    try:
        return reverse("admin:promotions_promotionrequest_review", args=[request.pk])
    except NoReverseMatch:
        return ""


def _is_cancellable(request: PromotionRequest) -> bool:
    return request.state in UNDECIDED or request.state == RequestState.EXECUTING
