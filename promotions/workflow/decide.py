"""Say yes, no, or not any more. A decision binds to what was on the page, and counts only from those who may."""

from django.db import transaction
from django.utils import timezone

from portal.approvals.decisions import record_decision
from portal.approvals.models import Decision
from portal.approvals.queries import decisions_on, standing
from portal.http.problem import Problem
from portal.users.models import User
from promotions.workflow.evaluation import missing_text, settle_approvals
from promotions.workflow.models import PromotionRequest, RequestState
from promotions.workflow.quorum import barred_people, needs_of, outcome_of
from promotions.workflow.transition import locked, transition

Verdict = Decision.Verdict
WAITING = {RequestState.AWAITING_APPROVAL}
OPEN_TO = {
    Verdict.APPROVE: WAITING,
    Verdict.REJECT: WAITING,
    Verdict.WITHDRAW: {RequestState.AWAITING_APPROVAL, RequestState.READY},
}


def decide(
    user: User, request: PromotionRequest, verdict: str, comment: str, version: int, evidence_digest: str
) -> Decision:
    """Approve, reject or withdraw. The request's row is locked, so of two people at once both count, and of approve and cancel one.

    Raises Problem: 403 self_approval, not_an_approver; 409 conflict, expired, stale, already_decided, nothing_to_withdraw;
    400 bad_verdict, comment_required."""
    chosen = _read(verdict, comment)
    with transaction.atomic():
        row = locked(request)
        _check_right(user, row, chosen)
        _check_time(row, chosen)
        _check_fresh(row, version, evidence_digest)
        rules = _check_turn(user, row, chosen)
        decision = record_decision(
            user.actor,
            user,
            row,
            chosen,
            round_number=row.round,
            version=row.version,
            evidence_digest=row.evidence_digest,
            comment=comment.strip(),
            rule_names=rules,
        )
        _follow(user, row, decision)
    request.refresh_from_db()
    return decision


def _read(verdict: str, comment: str) -> Decision.Verdict:
    if verdict not in Verdict.values:
        raise Problem(400, "bad_verdict", f"“{verdict[:40]}” is no decision; expected approve, reject or withdraw.")
    chosen = Verdict(verdict)
    if chosen == Verdict.REJECT and not comment.strip():
        raise Problem(400, "comment_required", "Say in the comment why it is rejected; whoever asked will read it.")
    return chosen


def _check_right(user: User, row: PromotionRequest, chosen: Decision.Verdict) -> None:
    """Asked first: who may not decide learns that, whatever else is wrong."""
    if chosen == Verdict.WITHDRAW:
        return
    reason = barred_people(row).get(user.username)
    if reason:
        raise Problem(403, "self_approval", reason)
    if not user.is_active or not roles_of(user, row):
        raise Problem(403, "not_an_approver", why_not_approver(row))


def roles_of(user: User, request: PromotionRequest) -> tuple[str, ...]:
    """The rules by which a person may decide. Being a superuser is none."""
    return tuple(need.name for need in needs_of(request) if user.username in need.eligible)


def why_not_approver(request: PromotionRequest) -> str:
    """Whom to ask instead."""
    lines = [f"{need.name} ({', '.join(sorted(need.eligible)) or 'nobody'})" for need in needs_of(request)]
    return f"No rule names you. {'; '.join(lines) or 'Nobody'} may decide."


def _check_time(row: PromotionRequest, chosen: Decision.Verdict) -> None:
    if row.state not in OPEN_TO[chosen]:
        text = f"Promotion {row.public_id} is {row.state_word}; there is nothing to {chosen.value} any more."
        raise Problem(409, "conflict", text, state=row.state, version=row.version)
    if row.expires_at <= timezone.now():
        raise Problem(409, "expired", f"Promotion {row.public_id} has expired. It has to be asked for again.")


def _check_fresh(row: PromotionRequest, version: int, evidence_digest: str) -> None:
    if row.version != version or row.evidence_digest != evidence_digest:
        text = "Something changed since you looked. Look at the page as it is now, then decide."
        raise Problem(409, "stale", text, version=row.version, evidence_digest=row.evidence_digest)


def _check_turn(user: User, row: PromotionRequest, chosen: Decision.Verdict) -> tuple[str, ...]:
    said = standing(decisions_on(row), row.round).get(user.username)
    if chosen == Verdict.WITHDRAW:
        if said is None:
            raise Problem(409, "nothing_to_withdraw", "There is no approval of yours to take back.")
        return ()
    if said is not None:
        text = f"You have decided already: {said.verdict}. Withdraw it first if you changed your mind."
        raise Problem(409, "already_decided", text)
    return roles_of(user, row)


def _follow(user: User, row: PromotionRequest, decision: Decision) -> None:
    """Where the request goes by this decision."""
    if decision.verdict == Verdict.REJECT:
        text = f"Rejected by {user}: {decision.comment}"
        at = decision.decided_at
        transition(
            row, RequestState.REJECTED, actor=user.actor, expect=WAITING, code="rejected", text=text, decided_at=at
        )
    elif decision.verdict == Verdict.APPROVE:
        _count(user, row)
    elif row.state == RequestState.READY and not outcome_of(row).is_satisfied:
        settle_approvals(user.actor, row, expect={RequestState.READY})
    elif row.state == RequestState.AWAITING_APPROVAL:
        _say_who_is_missing(row)


def _count(user: User, row: PromotionRequest) -> None:
    if outcome_of(row).is_satisfied:
        settle_approvals(user.actor, row, expect=WAITING)
    else:
        _say_who_is_missing(row)


def _say_who_is_missing(row: PromotionRequest) -> None:
    """The version stays: another approver who is looking at the page sees nothing that this changed."""
    row.reason_text = missing_text(row)
    row.save(update_fields=["reason_text"])
