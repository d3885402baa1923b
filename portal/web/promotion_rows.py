"""Promotion requests as pages show them: which of the four states a request is in, and what waits on whom."""

from django.db.models import Q, QuerySet

from portal.users.models import User
from portal.users.queries import teams_of
from portal.web.visible import visible_repositories
from promotions.workflow.models import PromotionItem, PromotionRequest, RequestState
from promotions.workflow.review import SIGNS

OPEN = (
    RequestState.EVALUATING, RequestState.BLOCKED, RequestState.AWAITING_APPROVAL, RequestState.READY,
    RequestState.EXECUTING, RequestState.PROMOTED, RequestState.FAILED,
)  # fmt: skip


def visible_requests(user: User) -> QuerySet[PromotionRequest]:
    """People with a role see all; others what they are behind, what their teams' robots asked for, and what moves between
    repositories they may look into."""
    rows = PromotionRequest.objects.select_related("path__source", "path__target", "on_behalf_of", "robot")
    if user.has_role():
        return rows
    names = visible_repositories(user).values("name")
    mine = Q(on_behalf_of=user) | Q(robot__team__in=teams_of(user))
    # By subquery: a join would give a request once per item.
    return rows.filter(mine | Q(pk__in=PromotionItem.objects.filter(target_repository__in=names).values("request")))


def sign_of(request: PromotionRequest) -> str:
    """well, attention, broken or unknown."""
    return SIGNS.get(RequestState(request.state), "unknown")
