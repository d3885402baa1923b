"""Say yes or no to a request for access. Of two who decide at once one wins, and nobody decides about what they have not seen."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from portal.actor import Actor
from portal.approvals.decisions import record_decision
from portal.approvals.models import Decision
from portal.audit.record import record
from portal.http.problem import Problem
from portal.users.models import Membership, User
from registries.access.asking.outlook import Wish
from registries.access.asking.patterns import covers, pattern_fault
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.request_news import tell_outcome
from registries.access.asking.request_rights import Right, right_to_decide
from registries.access.asking.requests import check_effect, check_waiting, locked, subject_of
from registries.access.models import AccessRule
from registries.access.policy import ACTIONS

State = AccessRequest.State


def grant_access(
    user: User,
    request: AccessRequest,
    version: int,
    *,
    comment: str = "",
    pattern: str = "",
    actions: Sequence[str] = (),
    ends_at: datetime | None = None,
) -> AccessRequest:
    """As asked, or less: a narrower pattern, fewer actions, an earlier end; what is left out stays as it was asked.

    Raises Problem: 403 not_a_decider; 409 conflict, stale, expired, requester_gone; 422 not_narrower, and what asking raises where
    the grant would change nothing by now."""
    now = timezone.now()
    with transaction.atomic():
        row, right = _decidable(user, request, version)
        wish = _narrowed(row, pattern, actions, ends_at, now)
        _check_requester(row)
        check_effect(wish, now)
        row.rule = _make_rule(row, wish, now)
        _settle(user, row, right, State.GRANTED, comment, now)
    return _refreshed(request)


def refuse_access(user: User, request: AccessRequest, version: int, comment: str) -> AccessRequest:
    """With the reason. Raises Problem: 403 not_a_decider; 409 conflict, stale; 422 comment_required."""
    with transaction.atomic():
        row, right = _decidable(user, request, version)
        if not comment.replace("\0", "").strip():
            raise Problem(422, "comment_required", "Say why; whoever asked will read it.")
        _settle(user, row, right, State.REFUSED, comment, timezone.now())
    return _refreshed(request)


def lapse_request(actor: Actor, request: AccessRequest, now: datetime) -> bool:
    """Nobody has decided, and by now it would be over; whether that was so."""
    with transaction.atomic():
        row = locked(request)
        if row.state != State.WAITING or row.ends_at > now:
            return False
        row.state, row.version, row.decided_at = State.LAPSED, row.version + 1, now
        row.save(update_fields=["state", "version", "decided_at"])
        record(actor, "accessrequest.lapsed", row)
        tell_outcome(row)
    return True


def _decidable(user: User, request: AccessRequest, version: int) -> tuple[AccessRequest, Right]:
    """The locked row, and by what the person decides. Who may not decide learns that first, whatever else is wrong."""
    row = locked(request)
    right = right_to_decide(user, row)
    if not right.may_decide:
        raise Problem(403, "not_a_decider", right.sentence)
    check_waiting(row)
    if row.version != version:
        text = "Something changed since you looked. Look at the page as it is now, then decide."
        raise Problem(409, "stale", text, version=row.version)
    return row, right


def _narrowed(
    row: AccessRequest, pattern: str, actions: Sequence[str], ends_at: datetime | None, now: datetime
) -> Wish:
    asked = tuple(row.actions.split(","))
    pattern, actions, ends_at = pattern.strip() or row.pattern, tuple(actions) or asked, ends_at or row.ends_at
    if fault := pattern_fault(pattern):
        raise Problem(422, "not_narrower", fault)
    if not covers(row.pattern, pattern):
        raise Problem(422, "not_narrower", f"{pattern} means more than {row.pattern}, which is all that was asked for.")
    if set(actions) - set(asked):
        raise Problem(422, "not_narrower", f"Only {row.actions} was asked for.")
    if ends_at > row.ends_at:
        raise Problem(422, "not_narrower", f"It was asked for until {row.ends_at:%Y-%m-%d %H:%M} UTC, not for longer.")
    if ends_at <= now:
        raise Problem(409, "expired", "It would be over by now. It has to be asked for again.")
    chosen = tuple(action for action in ACTIONS if action in actions)
    return Wish(subject_of(row), row.registry, pattern, chosen, ends_at)


def _check_requester(row: AccessRequest) -> None:
    team = row.robot.team_id if row.robot else row.team_id
    if not row.requester.is_active:
        raise Problem(409, "requester_gone", f"The account of {row.requester} is closed by now.")
    if team is not None and not Membership.objects.filter(team=team, user=row.requester).exists():
        raise Problem(409, "requester_gone", f"{row.requester} has left the team this is for.")
    if row.robot and not row.robot.is_active:
        raise Problem(409, "requester_gone", f"{row.robot} is retired by now.")


def _make_rule(row: AccessRequest, wish: Wish, now: datetime) -> AccessRule:
    is_own = row.team is None and row.robot is None
    return AccessRule.objects.create(
        user=row.requester if is_own else None,
        team=row.team,
        robot=row.robot,
        registry=wish.registry,
        pattern=wish.pattern,
        may_pull="pull" in wish.actions,
        may_push="push" in wish.actions,
        may_delete="delete" in wish.actions,
        starts_at=now,
        ends_at=wish.ends_at,
        reason=f"request {row.pk} of {row.requester}: {' '.join(row.reason.split())}"[:255],
    )


def _settle(
    user: User, row: AccessRequest, right: Right, state: AccessRequest.State, comment: str, now: datetime
) -> None:
    is_yes = state == State.GRANTED
    said = comment.replace("\0", "").strip()[:2000]
    record_decision(
        user.actor,
        user,
        row,
        Decision.Verdict.APPROVE if is_yes else Decision.Verdict.REJECT,
        round_number=1,
        version=row.version,
        evidence_digest=asked_digest(row),
        comment=said,
        rule_names=(right.sentence,),
    )
    row.state, row.comment, row.decided_by, row.decided_at = state, said, user, now
    row.version += 1
    row.save(update_fields=["state", "comment", "decided_by", "decided_at", "version", "rule"])
    if row.rule is not None:
        record(user.actor, "accessrule.granted", row.rule, request=row.pk, ends_at=str(row.rule.ends_at))
    tell_outcome(row)


def asked_digest(row: AccessRequest) -> str:
    """What was decided about: all that was asked, as one hash."""
    asked = (
        row.requester_id,
        row.robot_id,
        row.team_id,
        row.registry_id,
        row.pattern,
        row.actions,
        row.ends_at,
        row.reason,
    )
    return "sha256:" + hashlib.sha256("\0".join(map(str, asked)).encode()).hexdigest()


def _refreshed(request: AccessRequest) -> AccessRequest:
    request.refresh_from_db()
    return request
