"""Which requests are there, for whom?"""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast

from portal.approvals.models import Decision
from portal.approvals.queries import policies_of
from portal.users.models import User
from promotions.workflow.models import Execution, PromotionItem, PromotionPath, PromotionRequest, RequestState
from promotions.workflow.quorum import needs_of
from promotions.workflow.states import OPEN
from registries.access.models import RobotAccount
from registries.catalog.queries import repositories_seen_by

SUBJECT = PromotionRequest._meta.label_lower
PATH = PromotionPath._meta.label_lower


def requests() -> QuerySet[PromotionRequest]:
    """All of them with what every list shows, in two queries."""
    rows = PromotionRequest.objects.select_related("path__source", "path__target", "on_behalf_of", "robot")
    return rows.prefetch_related("items")


def waiting_for(user: User) -> QuerySet[PromotionRequest]:
    """Requests this person may decide and has not: never one's own, never one asked for in one's name.

    By the rules as they are now; the review page asks the pinned ones."""
    open_ones = (
        requests().filter(state=RequestState.AWAITING_APPROVAL, path__in=_decided_by(user)).exclude(on_behalf_of=user)
    )
    others = open_ones.exclude(requester_kind="user", requester_key=str(user.pk))
    own = Decision.objects.filter(subject_label=SUBJECT, user=user, round=OuterRef("round"))
    said = own.filter(subject_key=Cast(OuterRef("pk"), CharField())).order_by("-id").values("verdict")[:1]
    return others.annotate(said=Subquery(said)).filter(Q(said=None) | Q(said=Decision.Verdict.WITHDRAW))


def open_requests() -> QuerySet[PromotionRequest]:
    """Something may still come of them."""
    return requests().filter(state__in=OPEN)


def requests_seen_by(subject: User | RobotAccount) -> QuerySet[PromotionRequest]:
    """A robot: those its team's robots asked for. People: all with a role, else those they asked for, have a part in by the rules
    as they are now, or whose artifact they may look at where it comes from."""
    if isinstance(subject, RobotAccount):
        own = Q(requester_kind="robot", requester_key=str(subject.pk))
        return requests().filter(own | Q(robot__team=subject.team_id))
    if subject.has_role():
        return requests()
    mine = Q(on_behalf_of=subject) | Q(path__in=_decided_by(subject))
    teams = Q(robot__team__in=subject.memberships.values("team"))
    return requests().filter(mine | teams | Exists(_items_from_seen(subject)))


def _items_from_seen(user: User) -> QuerySet[PromotionItem]:
    """A repository that is gone from its registry hides no history."""
    here = repositories_seen_by(user, with_absent=True).filter(
        registry=OuterRef("request__path__source"), name=OuterRef("source_repository")
    )
    return PromotionItem.objects.filter(Exists(here), request=OuterRef("pk"))


def _decided_by(user: User) -> list[int]:
    """Paths with a rule that names this person, read once per instance, as roles are."""
    known: list[int] | None = user.__dict__.get("_decided_paths")
    if known is None:
        known = user.__dict__["_decided_paths"] = [int(key) for key in policies_of(user, PATH) if key.isdigit()]
    return known


def request_seen_by(subject: User | RobotAccount, public_id: str) -> PromotionRequest | None:
    """One request, or None where there is none or it may not be seen; whoever the pinned rules name sees it too."""
    found = requests_seen_by(subject).filter(public_id=public_id).first()
    if found is not None or isinstance(subject, RobotAccount):
        return found
    other = requests().filter(public_id=public_id).first()
    return other if other is not None and _is_named(subject, other) else None


def may_see(viewer: AbstractBaseUser | AnonymousUser, request: PromotionRequest) -> bool:
    """The same of a request at hand; the cheaper questions first."""
    if not isinstance(viewer, User) or not viewer.is_active:
        return False
    if viewer.has_role() or _is_named(viewer, request):
        return True
    return requests_seen_by(viewer).filter(pk=request.pk).exists()


def _is_named(user: User, request: PromotionRequest) -> bool:
    return any(user.username in need.eligible for need in needs_of(request))


def latest_execution(request: PromotionRequest) -> Execution | None:
    """The last try to carry it out."""
    return Execution.objects.filter(request=request).select_related("copy_job").order_by("-id").first()


def previous_promotion(request: PromotionRequest) -> PromotionRequest | None:
    """What this path last brought to the same repository."""
    item = request.item
    done = Q(state__in=[RequestState.PROMOTED, RequestState.COMPLETED])
    rows = PromotionRequest.objects.filter(done, path=request.path, items__target_repository=item.target_repository)
    return rows.exclude(pk=request.pk).select_related("on_behalf_of").order_by("-promoted_at").first()
