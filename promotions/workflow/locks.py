"""One open request per target tag: who holds which, and taking them."""

from django.db import IntegrityError, transaction

from portal.http.problem import Problem
from promotions.workflow.ask import Ask
from promotions.workflow.models import PromotionRequest, RequestState, TagLock
from promotions.workflow.snapshot import fingerprint, policy_body


def _locks(ask: Ask) -> list[TagLock]:
    rows = TagLock.objects.filter(registry=ask.path.target, repository=ask.target_repository, tag__in=ask.target_tags)
    return list(rows.select_related("request__path", "request__policy").order_by("tag"))


def earlier_ask(ask: Ask) -> PromotionRequest | None:
    """The open request that asks for exactly this. One that a since changed policy blocks is not it: it can never pass."""
    holders = {lock.request_id: lock.request for lock in _locks(ask)}
    if len(holders) != 1:
        return None
    (request,) = holders.values()
    item = request.items.get()
    mine = (ask.path.pk, ask.source_repository, ask.digest, sorted(ask.target_tags))
    if (request.path_id, item.source_repository, item.digest, sorted(item.target_tags)) != mine:
        return None
    if request.state == RequestState.BLOCKED and request.policy.hash != fingerprint(policy_body(request.path)):
        return None
    return request


def check_free(ask: Ask) -> None:
    """Raises Problem 409 ``tag_busy`` naming the request that holds one of the tags."""
    held = _locks(ask)
    if held:
        other = held[0].request
        place = f"{ask.path.target}/{ask.target_repository}:{held[0].tag}"
        text = (
            f"{place} is being promoted by {other.public_id}, which is {other.state_word}. "
            "Wait for it, or cancel it first."
        )
        raise Problem(409, "tag_busy", text, promotion=other.public_id)


def take_locks(ask: Ask, request: PromotionRequest) -> None:
    """Every tag or none, always in the same order. Raises Problem 409 ``tag_busy`` when somebody was first."""
    try:
        with transaction.atomic():
            for tag in sorted(ask.target_tags):
                TagLock.objects.create(
                    registry=ask.path.target, repository=ask.target_repository, tag=tag, request=request
                )
    except IntegrityError:
        check_free(ask)
        raise
