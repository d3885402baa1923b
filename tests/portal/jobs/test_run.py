"""One runner at a time, and however a run ends, the row says how and what happens next."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from portal.actor import Actor
from portal.audit.models import AuditEvent
from portal.jobs.models import JobState
from portal.jobs.run import (
    Claim,
    JobCancelled,
    JobFailed,
    LeaseLost,
    RetryLater,
    claim_job,
    request_cancel,
    retry_now,
    run_job,
)
from registries.catalog.models import SyncJob
from tests.portal.jobs.play import HandledBy, Handler, InThreads, MakeJob, until

ALICE = Actor("user", "1", "alice")

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


def refuse(error: Exception) -> Handler:
    def handler(claim: Claim[SyncJob]) -> None:
        raise error

    return handler


def expire_lease(job: SyncJob) -> None:
    SyncJob.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_job_runs_once_and_says_so(make_job: MakeJob, handled_by: HandledBy) -> None:
    job = make_job()
    handled_by(lambda claim: claim.write(reason_code="synced", reason_text="Read 3 repositories."))
    done = run_job(SyncJob, job.pk)
    assert done is not None
    assert (done.state, done.reason_text, done.attempt) == ("done", "Read 3 repositories.", 1)
    assert done.finished_at is not None
    assert done.lease_until is None
    assert run_job(SyncJob, job.pk) is None


def test_a_job_that_is_not_due_is_left_alone(make_job: MakeJob) -> None:
    later = make_job(next_run_at=timezone.now() + timedelta(minutes=1))
    assert run_job(SyncJob, later.pk) is None
    assert claim_job(SyncJob, later.pk, timezone.now() + timedelta(minutes=2)) is not None


def test_a_final_failure_is_not_tried_again(make_job: MakeJob, handled_by: HandledBy) -> None:
    job = make_job()
    handled_by(refuse(JobFailed("denied", "The registry refuses us.")))
    run_job(SyncJob, job.pk)
    job.refresh_from_db()
    assert (job.state, job.reason_code, job.reason_text) == ("failed", "denied", "The registry refuses us.")
    assert run_job(SyncJob, job.pk) is None


def test_a_failure_that_may_pass_waits_longer_each_time_and_is_given_up(
    make_job: MakeJob, handled_by: HandledBy, caplog: pytest.LogCaptureFixture
) -> None:
    job, pauses = make_job(max_attempts=3), []
    handled_by(refuse(ConnectionError("the line is dead")))
    while job.state == JobState.QUEUED:
        before = timezone.now()
        run_job(SyncJob, job.pk)
        job.refresh_from_db()
        pauses.append(job.next_run_at - before)
        SyncJob.objects.filter(pk=job.pk).update(next_run_at=timezone.now())
    assert (job.state, job.attempt) == ("failed", 3)
    assert job.reason_text == "ConnectionError: the line is dead Given up after 3 attempts."
    assert timedelta(seconds=5) < pauses[0] < pauses[1]


def test_a_pause_that_is_no_fault_of_the_job_costs_no_attempt(make_job: MakeJob, handled_by: HandledBy) -> None:
    job = make_job(max_attempts=1)
    handled_by(refuse(RetryLater("rate_limited", "Asked to wait.", after=timedelta(seconds=90), is_free=True)))
    waiting = run_job(SyncJob, job.pk)
    assert waiting is not None
    assert (waiting.state, waiting.attempt, waiting.reason_code) == ("queued", 0, "rate_limited")
    assert waiting.next_run_at > timezone.now() + timedelta(seconds=80)


def test_one_that_was_given_up_for_dead_can_write_nothing_more(make_job: MakeJob) -> None:
    job = make_job()
    slow = claim_job(SyncJob, job.pk)
    assert slow is not None
    assert claim_job(SyncJob, job.pk) is None
    expire_lease(job)
    quick = claim_job(SyncJob, job.pk)
    assert quick is not None
    attempts: tuple[Callable[[], None], ...] = (
        lambda: slow.write(tags_created=7),
        slow.check,
        lambda: slow.progress(1, 2),
    )
    for attempt in attempts:
        with pytest.raises(LeaseLost, match=f"sync job {job.pk} was taken over"):
            attempt()
    assert not slow.extend()
    assert slow.is_cancelled()
    quick.write(tags_created=2)
    quick.check()
    job.refresh_from_db()
    assert (job.tags_created, job.attempt, job.fence) == (2, 2, 2)


def test_a_late_end_does_not_overwrite_the_one_that_took_over(make_job: MakeJob, handled_by: HandledBy) -> None:
    job = make_job()

    def is_overtaken(claim: Claim[SyncJob]) -> None:
        expire_lease(job)
        assert claim_job(SyncJob, job.pk) is not None

    for ending in (None, JobFailed("x", "x"), RetryLater("x", "x"), JobCancelled("x"), ValueError("x")):
        SyncJob.objects.filter(pk=job.pk).update(state="queued", attempt=0, reason_code="")

        def handler(claim: Claim[SyncJob], ending: Exception | None = ending) -> None:
            is_overtaken(claim)
            if ending:
                raise ending

        handled_by(handler)
        run_job(SyncJob, job.pk)
        job.refresh_from_db()
        assert (job.state, job.reason_code) == ("running", "")


def test_a_job_whose_runners_keep_dying_is_given_up(make_job: MakeJob, handled_by: HandledBy) -> None:
    job = make_job(max_attempts=2)
    for _ in range(2):
        assert claim_job(SyncJob, job.pk) is not None
        expire_lease(job)
    handled_by(lambda claim: pytest.fail("It was run once more."))
    given_up = run_job(SyncJob, job.pk)
    assert given_up is not None
    assert (given_up.state, given_up.reason_code) == ("failed", "abandoned")
    assert given_up.reason_text == "Given up: 2 runners took it and were not heard of again."


def test_a_row_that_vanishes_under_its_runner_is_no_crash(make_job: MakeJob, handled_by: HandledBy) -> None:
    job = make_job()

    def vanish(claim: Claim[SyncJob]) -> None:
        SyncJob.objects.filter(pk=claim.job.pk).delete()

    handled_by(vanish)
    assert run_job(SyncJob, job.pk) is None


def test_a_waiting_job_is_cancelled_at_once(make_job: MakeJob) -> None:
    job = make_job()
    assert request_cancel(job, ALICE)
    job.refresh_from_db()
    assert (job.state, job.reason_text) == ("cancelled", "Cancelled on request.")
    assert run_job(SyncJob, job.pk) is None
    assert not request_cancel(job, ALICE)
    (event,) = AuditEvent.objects.all()
    assert (event.verb, event.actor_name, event.object_key) == ("syncjob.cancelled", "alice", str(job.pk))


def test_a_running_job_stops_at_its_next_step(make_job: MakeJob, handled_by: HandledBy) -> None:
    steps = []

    def handler(claim: Claim[SyncJob]) -> None:
        for step in range(3):
            claim.check()
            steps.append(step)
            assert request_cancel(claim.job)

    handled_by(handler)
    stopped = run_job(SyncJob, make_job().pk)
    assert stopped is not None
    assert (stopped.state, stopped.reason_code, steps) == ("cancelled", "cancelled", [0])


@pytest.mark.parametrize("after_death", [True, False])
def test_a_cancelled_job_is_not_taken_up_again(make_job: MakeJob, handled_by: HandledBy, after_death: bool) -> None:
    job = make_job()

    def handler(claim: Claim[SyncJob]) -> None:
        assert request_cancel(claim.job)
        raise RetryLater("busy", "Not now.")

    handled_by(handler)
    if after_death:
        claim_job(SyncJob, job.pk)
        request_cancel(job)
        expire_lease(job)
    ended = run_job(SyncJob, job.pk)
    assert ended is not None
    assert ended.state == "cancelled"


def test_a_failed_job_is_tried_again_with_its_attempts_counted_afresh(make_job: MakeJob, handled_by: HandledBy) -> None:
    job = make_job(max_attempts=1)
    handled_by(refuse(ValueError("no")))
    run_job(SyncJob, job.pk)
    assert retry_now(job, ALICE)
    assert not retry_now(job, ALICE)
    handled_by(lambda claim: None)
    done = run_job(SyncJob, job.pk)
    assert done is not None
    assert (done.state, done.attempt, done.reason_text) == ("done", 1, "")
    assert [event.verb for event in AuditEvent.objects.all()] == ["syncjob.retried"]


def test_a_failed_job_is_not_tried_again_beside_a_new_one_for_the_same(make_job: MakeJob) -> None:
    failed = make_job(state=JobState.FAILED)
    make_job()
    assert not retry_now(failed, ALICE)
    failed.refresh_from_db()
    assert failed.state == "failed"
    assert not AuditEvent.objects.exists()


def test_progress_is_written_now_and_then_and_at_the_end(make_job: MakeJob) -> None:
    claim = claim_job(SyncJob, make_job().pk)
    assert claim is not None
    seen = []
    for done in range(4):
        claim.progress(done, 3, f"layer {done}")
        seen.append(SyncJob.objects.get().progress_done)
    assert seen == [0, 0, 0, 3]
    assert SyncJob.objects.get().progress_percent == 100


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_many_runners_at_once_exactly_one_gets_the_job(make_job: MakeJob, in_threads: InThreads) -> None:
    for number in range(10):
        job = make_job(f"team/{number}")
        claims = in_threads(*[lambda job=job: claim_job(SyncJob, job.pk)] * 6)
        assert sum(claim is not None for claim in claims) == 1
        job.refresh_from_db()
        assert (job.fence, job.attempt) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_long_job_keeps_its_lease(make_job: MakeJob, handled_by: HandledBy, settings: Settings) -> None:
    settings.JOB_LEASE = timedelta(milliseconds=900)
    job = make_job()

    def handler(claim: Claim[SyncJob]) -> None:
        first = claim.job.lease_until
        assert first is not None
        assert until(lambda: SyncJob.objects.filter(lease_until__gt=first + settings.JOB_LEASE).exists())

    handled_by(handler)
    done = run_job(SyncJob, job.pk)
    assert done is not None
    assert (done.state, done.fence) == ("done", 1)
