"""Carry out what was approved: look once more, order the copy, and follow it until prod answers with the digest."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from portal.actor import system
from portal.http.problem import Problem
from portal.jobs.models import JobState
from portal.jobs.queue import enqueue, job_fields, wake
from portal.jobs.run import Claim, JobCancelled, JobFailed, RetryLater, request_cancel
from promotions.workflow.evaluation import ADVANCE
from promotions.workflow.models import Execution, PromotionItem, PromotionRequest, RequestState
from promotions.workflow.precheck import Drift, find_drift
from promotions.workflow.transition import locked, transition
from registries.catalog.holds import place_hold
from registries.catalog.models import Hold
from registries.copies.models import CopyJob
from registries.copies.order import order_copy
from registries.oci.digest import Digest

PIPELINE = system("pipeline")
# The end of a copy wakes its execution; this is for when that message is lost.
LOOK_AGAIN = timedelta(seconds=30)
ROLLBACK_DAYS = 90
RUNNING = {RequestState.EXECUTING}


def start_execution(request: PromotionRequest) -> Execution:
    """READY -> EXECUTING with the job that does it, in one transaction. Raises Conflict when somebody was first."""
    with transaction.atomic():
        row = transition(request, RequestState.EXECUTING, actor=PIPELINE, expect={RequestState.READY})
        execution = Execution.objects.create(request=row, **job_fields(PIPELINE, row))
        enqueue(execution)
    return execution


def run_execution(claim: Claim[Execution]) -> None:
    """One turn of an execution: it begins, or looks how far its copy is."""
    request = PromotionRequest.objects.select_related("path__source", "path__target").get(pk=claim.job.request_id)
    if request.state in (RequestState.PROMOTED, RequestState.COMPLETED):
        return  # the runner before this one wrote it down and died
    if request.state != RequestState.EXECUTING:
        raise JobFailed("not_executing", f"Promotion {request} is {request.state_word}; nothing is to be done.")
    if claim.job.copy_job_id is None:
        _begin(claim, request)
    copy = CopyJob.objects.get(executions=claim.job)
    if not copy.is_ended:
        claim.progress(copy.progress_done, copy.progress_total, copy.progress_note, copy.progress_unit)
        raise RetryLater("copying", f"Follows copy job {copy.pk}.", after=LOOK_AGAIN, is_free=True)
    _settle(request, copy)


def _begin(claim: Claim[Execution], request: PromotionRequest) -> None:
    """Order the copy, unless something changed since people agreed. The order and its number are written together."""
    with transaction.atomic():
        row = locked(request)
        is_called_off = row.cancel_requested_at is not None
        drift = None if is_called_off else find_drift(row)
        if is_called_off:
            _end_cancelled(row)
        elif drift:
            _go_back(row, drift)
        else:
            claim.write(copy_job=_order(row))
    if is_called_off:
        raise JobCancelled("Called off before anything was copied.")
    if drift:
        raise JobFailed(drift.code, drift.text)


def _order(request: PromotionRequest) -> CopyJob:
    """Where the copy is refused the job fails with the reason, and the request after it."""
    item = request.items.get()
    try:
        return _order_copy(request, item)
    except Problem as problem:
        raise JobFailed(problem.code, problem.detail) from problem


def _order_copy(request: PromotionRequest, item: PromotionItem) -> CopyJob:
    return order_copy(
        PIPELINE,
        purpose=CopyJob.Purpose.PROMOTION,
        principal=PIPELINE.name,
        source=request.path.source,
        source_repository=item.source_repository,
        digest=item.digest,
        target=request.path.target,
        target_repository=item.target_repository,
        tags=item.target_tags,
        expected_digests=item.expected_digests,
        cause=request,
    )


def _go_back(request: PromotionRequest, drift: Drift) -> None:
    """Approvals were given for something else when the drift says so: a new round begins."""
    round_number = request.round + 1 if drift.is_void else request.round
    code, text = drift.code, drift.text
    transition(request, drift.to, actor=PIPELINE, expect=RUNNING, code=code, text=text, round=round_number)


def _settle(request: PromotionRequest, copy: CopyJob) -> None:
    """Write down how the copy ended."""
    if _is_read_back(copy):
        _promoted(request, copy)
        return
    if copy.state == JobState.CANCELLED and request.cancel_requested_at is not None:
        _end_cancelled(request)
        raise JobCancelled("Called off while it was being copied; no tag was put.")
    code = copy.reason_code or "not_verified"
    text = copy.reason_text or f"Copy job {copy.pk} ended as {copy.state} and nothing was read back."
    transition(request, RequestState.FAILED, actor=PIPELINE, expect=RUNNING, code=code, text=text)
    raise JobFailed(code, text)


def _promoted(request: PromotionRequest, copy: CopyJob) -> None:
    item = request.items.get()
    text = f"{request.path.target} answers {item.digest.short} for {', '.join(item.target_tags)}."
    with transaction.atomic():
        now = timezone.now()
        transition(request, RequestState.PROMOTED, actor=PIPELINE, expect=RUNNING, text=text, promoted_at=now)
        _keep_what_was(request, item)
    wake(ADVANCE)


def _keep_what_was(request: PromotionRequest, item: PromotionItem) -> None:
    """What the tags had before is what somebody may want to go back to."""
    until = timezone.now() + timedelta(days=ROLLBACK_DAYS)
    for digest in {old for old in item.expected_digests.values() if old and old != str(item.digest)}:
        reason = f"{item.target_repository} had it before promotion {request.public_id}."
        place_hold(Digest.parse(digest), Hold.Kind.ROLLBACK, reason, request, until)


def _end_cancelled(request: PromotionRequest) -> None:
    text = "Called off before anything could be seen in the target."
    transition(request, RequestState.CANCELLED, actor=PIPELINE, expect=RUNNING, code="cancelled", text=text)


def give_up(execution: Execution) -> bool:
    """An execution ended without settling its request: it broke, or somebody cancelled the job itself.

    Its copy is stopped first: False while that still runs. A copy that was faster counts, for prod has it."""
    copy = execution.copy_job
    if copy is not None and not copy.is_ended:
        request_cancel(copy)
        copy.refresh_from_db()
        if not copy.is_ended:
            return False
    if copy is not None and _is_read_back(copy):
        _promoted(execution.request, copy)
        return True
    code = execution.reason_code or "error"
    text = execution.reason_text or f"Execution {execution.pk} ended as {execution.state}."
    to = RequestState.CANCELLED if execution.state == JobState.CANCELLED else RequestState.FAILED
    transition(execution.request, to, actor=PIPELINE, expect=RUNNING, code=code, text=text)
    return True


def _is_read_back(copy: CopyJob) -> bool:
    """Done counts only with what was read back."""
    return copy.state == JobState.DONE and copy.verified_at is not None
