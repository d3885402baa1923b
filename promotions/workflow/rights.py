"""What may this person do about this request, and if not, why not?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.approvals.matching import RuleNeed
from portal.approvals.models import Decision
from portal.users.models import User
from promotions.workflow.models import PromotionRequest, RequestState
from promotions.workflow.standing import may_steer
from promotions.workflow.states import OPEN

RETRYABLE = {RequestState.BLOCKED, RequestState.AWAITING_APPROVAL, RequestState.FAILED}


@dataclass(frozen=True)
class Rights:
    """``sentence`` says by which rule one may decide, or why not and whom to ask. ``said``: one's decision that stands."""

    can_approve: bool
    can_reject: bool
    can_withdraw: bool
    can_cancel: bool
    can_retry: bool
    sentence: str
    said: str = ""

    @property
    def can_decide(self) -> bool:
        return self.can_approve or self.can_reject or self.can_withdraw


def rights_of(
    request: PromotionRequest,
    person: User | None,
    needs: Sequence[RuleNeed],
    barred: Mapping[str, str],
    said: Decision | None,
) -> Rights:
    """For the page; the operations ask again for themselves."""
    is_waiting = request.state == RequestState.AWAITING_APPROVAL
    may_decide = person is not None and _may_decide(person, needs, barred)
    can_decide = is_waiting and may_decide and said is None
    can_withdraw = said is not None and request.state in {RequestState.AWAITING_APPROVAL, RequestState.READY}
    steers = person is not None and may_steer(person.actor, request)
    return Rights(
        can_approve=can_decide,
        can_reject=can_decide,
        can_withdraw=can_withdraw,
        can_cancel=steers and request.state in OPEN and request.cancel_requested_at is None,
        can_retry=steers and request.state in RETRYABLE,
        sentence=_sentence(request, person, needs, barred, said),
        said=said.verdict if said else "",
    )


def _may_decide(person: User, needs: Sequence[RuleNeed], barred: Mapping[str, str]) -> bool:
    return person.username not in barred and any(person.username in need.eligible for need in needs)


def _sentence(
    request: PromotionRequest,
    person: User | None,
    needs: Sequence[RuleNeed],
    barred: Mapping[str, str],
    said: Decision | None,
) -> str:
    if person is None:
        return "Sign in to decide."
    if said is not None:
        return f"You have decided: {said.verdict}."
    if person.username in barred:
        return barred[person.username]
    mine = [need.name for need in needs if person.username in need.eligible]
    if not mine:
        return _whom_to_ask(person, needs)
    if request.state != RequestState.AWAITING_APPROVAL:
        return f"You could decide as {', '.join(mine)}, but it is {request.state_word}."
    return f"You can decide as {', '.join(mine)}."


def _whom_to_ask(person: User, needs: Sequence[RuleNeed]) -> str:
    who = "; ".join(f"{need.name}: {', '.join(sorted(need.eligible)) or 'nobody'}" for need in needs)
    lead = "Being a superuser does not make an approver. " if person.is_superuser else "No rule names you. "
    return f"{lead}{who or 'Nobody is asked'}."
