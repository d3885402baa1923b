"""Take a job, keep its lease alive, run it, and write down how it ended - if it is still ours to write."""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.jobs.kinds import followers_of, handler_of
from portal.jobs.models import ENDED, Job, JobState
from portal.jobs.queue import wake

logger = logging.getLogger(__name__)
J = TypeVar("J", bound=Job)


class JobCancelled(Exception):
    """Somebody asked for the job to stop, and it stopped."""


class LeaseLost(Exception):
    """The job was given to another runner; this one must not write anything more."""


class RetryLater(Exception):
    """Not possible now; run again after ``after``. Counts as an attempt unless ``is_free``."""

    def __init__(
        self, code: str, text: str, *, after: timedelta = timedelta(seconds=15), is_free: bool = False
    ) -> None:
        super().__init__(text)
        self.code, self.text, self.after, self.is_free = code, text, after, is_free


class JobFailed(Exception):
    """Final: trying again would not help."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class Claim(Generic[J]):
    """One runner's hold on one job."""

    def __init__(self, job: J) -> None:
        self.job = job
        self.model: type[J] = type(job)
        self._last_progress: datetime | None = None

    def _mine(self) -> Any:
        return self.model._default_manager.filter(pk=self.job.pk, fence=self.job.fence, state=JobState.RUNNING)

    def write(self, **fields: Any) -> None:
        """Write fields of the job; raises LeaseLost if it is no longer ours."""
        if not self._mine().update(**fields):
            raise LeaseLost(f"{self.model._meta.verbose_name} {self.job.pk} was taken over by another runner.")
        for name, value in fields.items():
            setattr(self.job, name, value)

    def check(self) -> None:
        """Raise JobCancelled or LeaseLost; call it between steps and right before what cannot be undone."""
        row = self._mine().values("cancel_requested_at").first()
        if row is None:
            raise LeaseLost(f"{self.model._meta.verbose_name} {self.job.pk} was taken over by another runner.")
        if row["cancel_requested_at"]:
            raise JobCancelled("Cancelled on request.")

    def is_cancelled(self) -> bool:
        """For callbacks that must not raise: whether the job should stop."""
        row = self._mine().values("cancel_requested_at").first()
        return row is None or row["cancel_requested_at"] is not None

    def progress(self, done: int, total: int | None, note: str = "", unit: str = "") -> None:
        """Show how far the work is; written at most once a second, and always at the end."""
        now = timezone.now()
        is_final = total is not None and done >= total
        if self._last_progress and not is_final and (now - self._last_progress).total_seconds() < 1:
            return
        self._last_progress = now
        self.write(progress_done=done, progress_total=total, progress_note=note[:255], progress_unit=unit)

    def extend(self) -> bool:
        """Push the lease out; False when it is lost."""
        return bool(self._mine().update(lease_until=timezone.now() + settings.JOB_LEASE))


def worker_name() -> str:
    """Host, process and thread."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident() % 100_000}"


def claim_job(model: type[J], pk: int, now: datetime | None = None) -> Claim[J] | None:
    """Take a due or abandoned job with one conditional update; None when somebody else was first or nothing is due."""
    now = now or timezone.now()
    due = Q(state=JobState.QUEUED, next_run_at__lte=now) | Q(state=JobState.RUNNING, lease_until__lt=now)
    taken = model._default_manager.filter(due, pk=pk).update(
        state=JobState.RUNNING,
        fence=F("fence") + 1,
        attempt=F("attempt") + 1,
        worker=worker_name(),
        lease_until=now + settings.JOB_LEASE,
        started_at=now,
        finished_at=None,
        reason_code="",
        reason_text="",
    )
    if not taken:
        return None
    job: Any = model._default_manager.get(pk=pk)
    return Claim(job)


@contextmanager
def _kept_alive(claim: Claim[Any]) -> Iterator[None]:
    """Extends the lease from a thread of its own every third of it; stops with the work."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(settings.JOB_LEASE.total_seconds() / 3):
            if not _beat_once(claim):
                return

    thread = threading.Thread(target=beat, name=f"lease-{claim.job.pk}", daemon=True)
    # An in-memory test database lives in one connection; there a runner's lease outlives any test anyway.
    shares_connection = connection.vendor == "sqlite" and connection.in_atomic_block
    if not shares_connection:
        thread.start()
    try:
        yield
    finally:
        done.set()
        if not shares_connection:
            thread.join(timeout=5)


def _beat_once(claim: Claim[Any]) -> bool:
    """False when the lease is lost. A database that does not answer now may do so at the next beat."""
    try:
        return claim.extend()
    except DatabaseError as error:
        logger.warning("The lease of %s %s was not extended: %s", claim.model._meta.verbose_name, claim.job.pk, error)
        return True
    finally:
        # Kept from one beat to the next, it would be missing from the pool for as long as the job runs.
        connection.close()


def run_job(model: type[J], pk: int) -> J | None:
    """Claim and run one job to its next resting state; None when there was nothing to claim."""
    claim = claim_job(model, pk)
    if claim is None:
        return None
    try:
        _give_up_if_deadly(claim.job)
        with _kept_alive(claim):
            claim.check()
            handler_of(model)(claim)
        _end(claim, JobState.DONE, claim.job.reason_code, claim.job.reason_text)
    except LeaseLost as lost:
        logger.warning("%s", lost)
    except JobCancelled as stop:
        _try_end(claim, JobState.CANCELLED, "cancelled", str(stop))
    except RetryLater as retry:
        _retry(claim, retry)
    except JobFailed as failure:
        _try_end(claim, JobState.FAILED, failure.code, failure.text)
    except Exception as error:  # the outermost frame of a worker: whatever it is, the row must say so
        logger.exception("%s %s failed", model._meta.verbose_name, pk)
        text = f"{type(error).__name__}: {error}"
        _retry(claim, RetryLater("error", text, after=timedelta(seconds=min(300, 5 * 2**claim.job.attempt))))
    for name in followers_of(model):
        wake(name)
    rows: Any = model._default_manager.filter(pk=pk)
    rested: J | None = rows.first()
    return rested


def _give_up_if_deadly(job: Job) -> None:
    """A job whose runners keep dying is not tried for ever: nobody was left to count the tries but the claim."""
    if job.attempt > job.max_attempts:
        raise JobFailed("abandoned", f"Given up: {job.attempt - 1} runners took it and were not heard of again.")


def _end(claim: Claim[Any], state: JobState, code: str, text: str) -> None:
    claim.write(state=state, reason_code=code, reason_text=text, finished_at=timezone.now(), lease_until=None)


def _try_end(claim: Claim[Any], state: JobState, code: str, text: str) -> None:
    try:
        _end(claim, state, code, text)
    except LeaseLost as lost:
        logger.warning("%s", lost)


def _retry(claim: Claim[Any], retry: RetryLater) -> None:
    job = claim.job
    if claim.is_cancelled():
        _try_end(claim, JobState.CANCELLED, "cancelled", "Cancelled on request.")
        return
    if job.attempt >= job.max_attempts and not retry.is_free:
        _try_end(claim, JobState.FAILED, retry.code, f"{retry.text} Given up after {job.attempt} attempts.")
        return
    fields: dict[str, Any] = {
        "state": JobState.QUEUED,
        "reason_code": retry.code,
        "reason_text": retry.text,
        "next_run_at": timezone.now() + retry.after,
        "lease_until": None,
    }
    if retry.is_free:
        fields["attempt"] = max(0, job.attempt - 1)
    try:
        claim.write(**fields)
    except LeaseLost as lost:
        logger.warning("%s", lost)


def request_cancel(job: Job, actor: Actor | None = None) -> bool:
    """Ask a job to stop. A waiting one is cancelled at once, a running one at its next check; False if it had ended.

    Recorded for ``actor``; without one it is part of an operation that records itself."""
    with transaction.atomic():
        is_asked = _cancel_waiting(job) or _cancel_running(job)
        if is_asked and actor is not None:
            record(actor, f"{job._meta.model_name}.cancelled", job)
    return is_asked


def _cancel_waiting(job: Job) -> bool:
    waiting = type(job)._default_manager.filter(pk=job.pk, state=JobState.QUEUED)
    ended = {"state": JobState.CANCELLED, "finished_at": timezone.now(), "lease_until": None}
    return bool(waiting.update(**ended, reason_code="cancelled", reason_text="Cancelled on request."))


def _cancel_running(job: Job) -> bool:
    running = type(job)._default_manager.filter(pk=job.pk).exclude(state__in=ENDED)
    return bool(running.update(cancel_requested_at=timezone.now()))


def retry_now(job: Job, actor: Actor | None = None) -> bool:
    """Queue a failed or cancelled job again, with its attempts counted afresh.

    False if it has not ended so, if another job for the same thing is open already, or if it does not stand alone."""
    if not job.stands_alone:
        return False
    fresh = {"attempt": 0, "next_run_at": timezone.now(), "cancel_requested_at": None, "finished_at": None}
    again = type(job)._default_manager.filter(pk=job.pk, state__in=[JobState.FAILED, JobState.CANCELLED])
    try:
        with transaction.atomic():
            is_queued = bool(again.update(state=JobState.QUEUED, reason_code="", reason_text="", **fresh))
            if is_queued and actor is not None:
                record(actor, f"{job._meta.model_name}.retried", job)
    except IntegrityError:  # a kind of job that is open once per target
        return False
    return is_queued
