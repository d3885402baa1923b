"""Promotion requests as pages show them: which of the four states a request is in, and what waits on whom."""

from promotions.workflow.models import PromotionRequest, RequestState
from promotions.workflow.review import SIGNS

OPEN = (
    RequestState.EVALUATING, RequestState.BLOCKED, RequestState.AWAITING_APPROVAL, RequestState.READY,
    RequestState.EXECUTING, RequestState.PROMOTED, RequestState.FAILED,
)  # fmt: skip


def sign_of(request: PromotionRequest) -> str:
    """well, attention, broken or unknown."""
    return SIGNS.get(RequestState(request.state), "unknown")
