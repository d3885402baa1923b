"""Ask for a promotion, ask again, call it off."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.http.problem import Problem
from portal.jobs.queue import wake
from portal.jobs.run import request_cancel
from portal.outbox.post import tell
from portal.users.models import User
from promotions.workflow.ask import Ask, check_path, check_source, check_target, read_ask
from promotions.workflow.baseline import difference_of
from promotions.workflow.collect import artifact_bytes, parts_of
from promotions.workflow.evaluation import ADVANCE, evaluate
from promotions.workflow.locks import check_free, earlier_ask, take_locks
from promotions.workflow.models import PromotionItem, PromotionPath, PromotionRequest, RequestState
from promotions.workflow.precheck import path_drift, tag_drift
from promotions.workflow.queries import latest_execution
from promotions.workflow.quorum import outcome_of
from promotions.workflow.snapshot import pin_policy
from promotions.workflow.standing import check_requester, may_steer
from promotions.workflow.states import UNDECIDED
from promotions.workflow.transition import Conflict, locked, transition
from registries.access.models import RobotAccount
from registries.catalog.holds import place_hold
from registries.catalog.models import Hold, Manifest
from registries.catalog.sync import request_sync

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def create_request(
    actor: Actor,
    *,
    path: PromotionPath,
    source_repository: str,
    digest: str,
    source_tag: str,
    target_tags: Sequence[str],
    target_repository: str = "",
    on_behalf_of: User,
    on_behalf_source: str,
    robot: RobotAccount | None = None,
    ci: Mapping[str, Any] | None = None,
    changelog: str = "",
) -> PromotionRequest:
    """Ask for one artifact to be promoted; evaluated at once, so what comes back is blocked, waits for people, or is ready.

    The same open ask gives the same request again, with ``is_replay`` set. Raises Problem with the codes bad_*, path_disabled,
    path_forbidden, not_on_path, not_allowed, source_missing, source_tag_mismatch, target_tag_conflict, already_promoted,
    tag_busy, policy_unsatisfiable, being_deleted."""
    ask = read_ask(path, source_repository, digest, source_tag, target_repository, list(target_tags))
    check_path(ask)
    check_requester(ask, robot, on_behalf_of)
    manifest = _look_in_source(actor, ask)
    if known := earlier_ask(ask):
        known.is_replay = True
        return known
    check_free(ask)
    expected = check_target(ask)
    fields = {
        "on_behalf_of": on_behalf_of,
        "on_behalf_source": on_behalf_source,
        "robot": robot,
        "ci": dict(ci or {}),
        "changelog": changelog,
    }
    try:
        with transaction.atomic():
            return _write(actor, ask, manifest, expected, fields)
    except Problem as problem:
        # Somebody took one of the tags between our look and our write; perhaps with just the same ask.
        known = earlier_ask(ask) if problem.code == "tag_busy" else None
        if known is None:
            raise
        known.is_replay = True
        return known


def _look_in_source(actor: Actor, ask: Ask) -> Manifest:
    """CI asks right after its push: where the catalog is behind, a look at that repository is ordered for the next try."""
    try:
        return check_source(ask)
    except Problem as problem:
        if problem.code == "source_missing" and ask.path.source.is_sync_enabled:
            request_sync(actor, ask.path.source, ask.source_repository)
        raise


def _write(
    actor: Actor, ask: Ask, manifest: Manifest, expected: dict[str, str], fields: dict[str, Any]
) -> PromotionRequest:
    now = timezone.now()
    request = PromotionRequest.objects.create(
        public_id=new_public_id(),
        path=ask.path,
        requester_kind=actor.kind,
        requester_key=actor.key,
        requester_name=actor.name,
        policy=pin_policy(ask.path),
        expires_at=now + timedelta(seconds=ask.path.request_ttl_seconds),
        **fields,
    )
    take_locks(ask, request)
    item = _write_item(ask, request, manifest, expected)
    place_hold(ask.digest, Hold.Kind.PROMOTION, f"Promotion {request.public_id} is open.", request)
    record(actor, "promotion.requested", request, on_behalf_of=str(request.on_behalf_of), **_facts(ask))
    _check_satisfiable(request)
    title = f"{item.target_repository} to {ask.path.target}: asked for"
    tell("promotion.requested", title, payload={"id": request.public_id, **_facts(ask)})
    evaluate(actor, request, phase="submit")
    return request


def _write_item(ask: Ask, request: PromotionRequest, manifest: Manifest, expected: dict[str, str]) -> PromotionItem:
    item = PromotionItem(
        request=request,
        source_repository=ask.source_repository,
        digest=ask.digest,
        media_type=manifest.media_type,
        size_bytes=artifact_bytes(manifest, parts_of(manifest)),
        source_tag=ask.source_tag,
        target_repository=ask.target_repository,
        target_tags=list(ask.target_tags),
        expected_digests=expected,
    )
    item.difference = difference_of(item, ask.path.target)
    item.save()
    return item


def _check_satisfiable(request: PromotionRequest) -> None:
    """Said now, not after a week of waiting."""
    bad = [rule for rule in outcome_of(request).rules if rule.is_impossible]
    if bad:
        who = str(request.on_behalf_of)
        text = (
            f"The rule “{bad[0].name}” needs {bad[0].required}, and without those who asked for or built it ({who}) there "
            "are too few who may approve. Ask a platform admin to widen the rule or to fill the role."
        )
        raise Problem(422, "policy_unsatisfiable", text, rule=bad[0].name)


def _facts(ask: Ask) -> dict[str, Any]:
    return {
        "path": ask.path.name,
        "source": f"{ask.path.source}/{ask.source_repository}",
        "digest": str(ask.digest),
        "target": f"{ask.path.target}/{ask.target_repository}",
        "tags": list(ask.target_tags),
    }


def new_public_id() -> str:
    """80 random bits in letters that cannot be misread."""
    return "prm_" + "".join(secrets.choice(ALPHABET) for _ in range(16))


def retry_request(actor: Actor, request: PromotionRequest) -> PromotionRequest:
    """Look again: gates of a blocked or waiting request, or everything of a failed one. Raises Problem."""
    expect = {RequestState.BLOCKED, RequestState.AWAITING_APPROVAL, RequestState.FAILED}
    _check_steering(actor, request)
    with transaction.atomic():
        row = locked(request)
        if row.state not in expect:
            raise Conflict(row, RequestState.EVALUATING)
        _check_tags(row)
        if row.state == RequestState.FAILED:
            _take_up_again(row)
        transition(row, RequestState.EVALUATING, actor=actor, expect=expect)
        evaluate(actor, row, phase="manual")
    return row


def _check_tags(request: PromotionRequest) -> None:
    drift = path_drift(request) or tag_drift(request, request.items.get())
    if drift:
        text = f"{drift.text} What was asked for cannot be done any more: cancel it and ask again."
        raise Problem(409, drift.code, text)


def _take_up_again(request: PromotionRequest) -> None:
    item = request.items.get()
    tags = tuple(item.target_tags)
    ask = Ask(request.path, item.source_repository, item.digest, "", item.target_repository, tags)
    check_path(ask)
    check_source(ask)
    check_free(ask)
    take_locks(ask, request)
    place_hold(item.digest, Hold.Kind.PROMOTION, f"Promotion {request.public_id} is open.", request)
    request.expires_at = timezone.now() + timedelta(seconds=request.path.request_ttl_seconds)
    request.cancel_requested_at = None
    request.save(update_fields=["expires_at", "cancel_requested_at"])


def cancel_request(actor: Actor, request: PromotionRequest) -> PromotionRequest:
    """Call a request off: at once while nothing is being done, else before the first tag is put. Harmless when called off already.

    Raises Problem 409 ``past_point_of_no_return`` or ``conflict``, 403 ``not_allowed``."""
    _check_steering(actor, request)
    with transaction.atomic():
        row = locked(request)
        if row.state == RequestState.CANCELLED:
            return row
        if row.state != RequestState.EXECUTING:
            text = f"Called off by {actor}."
            return transition(row, RequestState.CANCELLED, actor=actor, expect=UNDECIDED, code="cancelled", text=text)
        _stop_execution(actor, row)
    wake(ADVANCE)
    return row


def _stop_execution(actor: Actor, request: PromotionRequest) -> None:
    """Ask the copy to stop; the execution writes down how it ended."""
    execution = latest_execution(request)
    copy = execution.copy_job if execution else None
    if copy is not None and copy.tagged_at is not None:
        text = f"{request.path.target} has it by now; it cannot be called off any more, only rolled back."
        raise Problem(409, "past_point_of_no_return", text)
    if request.cancel_requested_at is None:
        request.cancel_requested_at = timezone.now()
        request.save(update_fields=["cancel_requested_at"])
        record(actor, "promotion.cancel_requested", request)
    if copy is not None:
        request_cancel(copy)


def _check_steering(actor: Actor, request: PromotionRequest) -> None:
    if not may_steer(actor, request):
        who = f"{request.requester_name}, {request.on_behalf_of}, their team and release managers"
        raise Problem(403, "not_allowed", f"Only {who} may do this to promotion {request.public_id}.")
