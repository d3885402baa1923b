"""How far is a promotion? The steps of its way and the running copy, for the live part of its page."""

from dataclasses import dataclass

from promotions.workflow.models import PromotionRequest, RequestState
from promotions.workflow.queries import latest_execution
from promotions.workflow.regions import regions_of
from promotions.workflow.states import ENDED

STEPS = (
    ("asked", (RequestState.EVALUATING, RequestState.BLOCKED)),
    ("approval", (RequestState.AWAITING_APPROVAL, RequestState.READY)),
    ("copying", (RequestState.EXECUTING,)),
    ("in regions", (RequestState.PROMOTED,)),
    ("complete", (RequestState.COMPLETED,)),
)
APPROVAL, COPYING, LAST = 1, 2, len(STEPS) - 1


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way, and how far it is: done, now, stopped or open."""

    word: str
    progress: str


def strip_of(request: PromotionRequest) -> dict[str, object]:
    """What changes while one watches."""
    execution = latest_execution(request)
    copy = execution.copy_job if execution else None
    return {
        "promotion": request,
        "steps": steps_of(request.state),
        "copy": copy if copy and not copy.is_ended else None,
        "regions": [region for item in request.items.all() for region in regions_of(request, item)],
        "is_live": request.state not in ENDED or request.state == RequestState.PROMOTED,
    }


def steps_of(state: str) -> list[Step]:
    """Where a request stands on its way; one that ended early stopped at the step where it was."""
    here = next((place for place, (_, states) in enumerate(STEPS) if state in states), None)
    if here is None:
        here, progress = (COPYING if state == RequestState.FAILED else APPROVAL), "stopped"
    else:
        progress = "done" if here == LAST else "stopped" if state == RequestState.BLOCKED else "now"
    words = [word for word, _ in STEPS]
    after = len(words) - here - 1
    return [Step(word, each) for word, each in zip(words, ["done"] * here + [progress] + ["open"] * after, strict=True)]
