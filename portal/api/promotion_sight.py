"""Which promotions may a caller see? A person by role, part or rights; a robot those its team has asked for."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from rest_framework.request import Request

from portal.api.callers import caller_of
from portal.api.sight import repositories_seen_by
from portal.approvals.queries import policies_of
from portal.users.models import User
from promotions.workflow.models import PromotionItem, PromotionRequest
from promotions.workflow.queries import PATH, may_see, requests
from registries.access.models import RobotAccount


def promotions_seen_by(request: Any) -> QuerySet[PromotionRequest]:
    """For lists: by the rules as they are now."""
    caller = caller_of(request)
    if isinstance(caller, RobotAccount):
        own = Q(requester_kind="robot", requester_key=str(caller.pk))
        return requests().filter(own | Q(robot__team=caller.team_id))
    if caller.has_role():
        return requests()
    paths = [int(key) for key in policies_of(caller, PATH) if key.isdigit()]
    concerned = Q(on_behalf_of=caller) | Q(path__in=paths) | Q(robot__team__in=caller.memberships.values("team"))
    return requests().filter(concerned | Exists(_from_visible(request)))


def _from_visible(request: Any) -> QuerySet[PromotionItem]:
    """Items whose artifact the caller may pull where it comes from."""
    here = repositories_seen_by(request).filter(
        registry=OuterRef("request__path__source"), name=OuterRef("source_repository")
    )
    return PromotionItem.objects.filter(Exists(here), request=OuterRef("pk"))


def promotion_seen_by(request: Request, public_id: str) -> PromotionRequest:
    """One of them; raises Http404 where there is none or it may not be seen."""
    row = promotions_seen_by(request).filter(public_id=public_id).first()
    if row is not None:
        return row
    caller = caller_of(request)
    other = requests().filter(public_id=public_id).first() if isinstance(caller, User) else None
    if other is None or not may_see(caller, other):  # type: ignore[arg-type]
        raise Http404
    return other
