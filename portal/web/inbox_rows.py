"""What waits for a person? Rows alone."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet

from portal.approvals.models import Decision
from portal.approvals.queries import policies_of
from portal.users.models import User
from promotions.workflow.models import PromotionRequest, RequestState

SUBJECT = "promotions.promotionrequest"
PATH = "promotions.promotionpath"


def waiting_for(user: User) -> QuerySet[PromotionRequest]:
    """Requests that this person may decide and has not: never one's own, never one asked for in one's name."""
    paths = [int(key) for key in policies_of(user, PATH) if key.isdigit()]
    decided = Decision.objects.filter(subject_label=SUBJECT, user=user).values("subject_key", "round")
    done = {(row["subject_key"], row["round"]) for row in decided}
    waiting = (
        PromotionRequest.objects.filter(state=RequestState.AWAITING_APPROVAL, path_id__in=paths)
        .exclude(on_behalf_of=user)
        .exclude(requester_kind="user", requester_key=str(user.pk))
    )
    mine = [row["pk"] for row in waiting.values("pk", "round") if (str(row["pk"]), row["round"]) not in done]
    return PromotionRequest.objects.filter(pk__in=mine).select_related("path__source", "path__target", "on_behalf_of")


def asked_by(user: User) -> QuerySet[PromotionRequest]:
    """Open requests in this person's name."""
    ended = (RequestState.COMPLETED, RequestState.REJECTED, RequestState.CANCELLED, RequestState.EXPIRED)
    return (
        PromotionRequest.objects.filter(on_behalf_of=user)
        .exclude(state__in=ended)
        .select_related("path__source", "path__target", "on_behalf_of")
    )


def waiting_count(viewer: AbstractBaseUser | AnonymousUser) -> int:
    """The number beside "Inbox"."""
    return waiting_for(viewer).count() if isinstance(viewer, User) else 0
