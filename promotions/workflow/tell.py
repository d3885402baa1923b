"""Who is told of what became of a request? Messages are rows, written in the transaction of what they tell."""

from collections.abc import Iterable

from django.conf import settings
from django.urls import reverse

from portal.outbox.post import tell
from portal.users.models import User
from promotions.workflow.models import PromotionItem, PromotionRequest, RequestState
from promotions.workflow.quorum import outcome_of

TOPICS = {RequestState.AWAITING_APPROVAL: "promotion.approval_needed", RequestState.BLOCKED: "promotion.gates_failed"}


def review_address(request: PromotionRequest) -> str:
    """Where it is decided."""
    return f"{settings.PORTAL_BASE_URL}{reverse('admin:promotions_promotionrequest_review', args=[request.pk])}"


def portal_address(request: PromotionRequest) -> str:
    """Where it is followed."""
    return f"{settings.PORTAL_BASE_URL}/promotions/{request.public_id}/"


def tell_about(request: PromotionRequest) -> None:
    """Approvers when they are needed, the person behind the request of every end, webhooks of every step."""
    item = request.items.get()
    state = RequestState(request.state)
    title = f"{_what(item)} to {request.path.target}: {state.label}"
    people = list(_people(request, state))
    lines = [title, "", request.reason_text, "", f"Asked for by {request.on_behalf_of} ({request.requester_name})."]
    if state == RequestState.AWAITING_APPROVAL:
        lines.append(f"Look at it and decide: {review_address(request)}")
    lines.append(f"Follow it: {portal_address(request)}")
    topic = TOPICS.get(state, f"promotion.{state.value}")
    tell(topic, title, people=people, body="\n".join(lines), payload=_payload(request, item))


def _what(item: PromotionItem) -> str:
    return f"{item.target_repository}:{item.target_tags[0]}"


def _people(request: PromotionRequest, state: RequestState) -> Iterable[User]:
    if state == RequestState.AWAITING_APPROVAL:
        names = {name for rule in outcome_of(request).rules for name in rule.can_approve}
        return User.objects.filter(username__in=names, is_active=True).order_by("username")
    quiet = {RequestState.EVALUATING, RequestState.READY, RequestState.EXECUTING}
    return [] if state in quiet else [request.on_behalf_of]


def _payload(request: PromotionRequest, item: PromotionItem) -> dict[str, object]:
    return {
        "id": request.public_id,
        "state": request.state,
        "reason": {"code": request.reason_code, "text": request.reason_text},
        "version": request.version,
        "digest": str(item.digest),
        "target": {
            "registry": request.path.target.name,
            "repository": item.target_repository,
            "tags": item.target_tags,
        },
        "url": portal_address(request),
    }
