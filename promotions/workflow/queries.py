"""Which requests are there, for whom?"""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q, QuerySet

from portal.approvals.models import Decision
from portal.approvals.queries import policies_of
from portal.users.models import User
from promotions.workflow.models import Execution, PromotionPath, PromotionRequest, RequestState
from promotions.workflow.quorum import needs_of
from promotions.workflow.states import OPEN
from registries.access.queries import may
from registries.oci.digest import Digest

SUBJECT = PromotionRequest._meta.label_lower
PATH = PromotionPath._meta.label_lower


def requests() -> QuerySet[PromotionRequest]:
    """All of them with what every list shows, in two queries."""
    rows = PromotionRequest.objects.select_related("path__source", "path__target", "on_behalf_of", "robot")
    return rows.prefetch_related("items")


def waiting_for(user: User) -> QuerySet[PromotionRequest]:
    """Requests this person may decide and has not: never one's own, never one asked for in one's name.

    By the rules as they are now; the review page asks the pinned ones."""
    paths = [int(key) for key in policies_of(user, PATH) if key.isdigit()]
    open_ones = requests().filter(state=RequestState.AWAITING_APPROVAL, path__in=paths).exclude(on_behalf_of=user)
    others = open_ones.exclude(requester_kind="user", requester_key=str(user.pk))
    said = Decision.objects.filter(subject_label=SUBJECT, user=user).order_by("id")
    last = {(row.subject_key, row.round): row.verdict for row in said}
    done = [row.pk for row in others if last.get((str(row.pk), row.round), "withdraw") != Decision.Verdict.WITHDRAW]
    return others.exclude(pk__in=done)


def open_requests() -> QuerySet[PromotionRequest]:
    """Something may still come of them."""
    return requests().filter(state__in=OPEN)


def requests_of_digest(digest: Digest) -> QuerySet[PromotionRequest]:
    return requests().filter(items__digest=digest)


def may_see(viewer: AbstractBaseUser | AnonymousUser, request: PromotionRequest) -> bool:
    """Those with a role, those concerned, those who may decide, and those who may pull the artifact where it comes from."""
    if not isinstance(viewer, User) or not viewer.is_active:
        return False
    if viewer.has_role() or viewer.pk == request.on_behalf_of_id:
        return True
    if any(viewer.username in need.eligible for need in needs_of(request)):
        return True
    return may(viewer, "pull", request.path.source, request.items.get().source_repository)


def latest_execution(request: PromotionRequest) -> Execution | None:
    """The last try to carry it out."""
    return Execution.objects.filter(request=request).select_related("copy_job").order_by("-id").first()


def previous_promotion(request: PromotionRequest) -> PromotionRequest | None:
    """What this path last brought to the same repository."""
    item = request.items.get()
    done = Q(state__in=[RequestState.PROMOTED, RequestState.COMPLETED])
    rows = PromotionRequest.objects.filter(done, path=request.path, items__target_repository=item.target_repository)
    return rows.exclude(pk=request.pk).select_related("on_behalf_of").order_by("-promoted_at").first()
