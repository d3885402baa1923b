"""What waits for a person, and what of theirs is on its way? Rows alone."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet

from portal.users.models import User
from promotions.workflow.models import PromotionRequest, RequestState
from promotions.workflow.queries import requests, waiting_for
from registries.access.asking.request_rights import waiting_for as access_waiting_for

OVER = (RequestState.COMPLETED, RequestState.REJECTED, RequestState.CANCELLED, RequestState.EXPIRED)


def asked_by(user: User) -> QuerySet[PromotionRequest]:
    """Requests in this person's name of which something may still come."""
    return requests().filter(on_behalf_of=user).exclude(state__in=OVER)


def waiting_count(viewer: AbstractBaseUser | AnonymousUser) -> int:
    """The number beside "Inbox"."""
    return waiting_for(viewer).count() + access_waiting_for(viewer).count() if isinstance(viewer, User) else 0
