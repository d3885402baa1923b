"""A job is a row; a queue message is only a hint that a row is due.

``lease_until`` says how long the present runner may be silent, ``fence`` which runner is the present one: every write of a runner
carries its fence, so one that was given up for dead can change nothing any more."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from portal.actor import Actor


class JobState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class JobQuerySet(models.QuerySet["Job"]):
    """Rows by what may be done with them."""

    def claimable(self, now: datetime) -> Self:
        """Due and waiting, or left behind by a runner whose lease is over."""
        waiting = Q(state=JobState.QUEUED, next_run_at__lte=now)
        abandoned = Q(state=JobState.RUNNING, lease_until__lt=now)
        return self.filter(waiting | abandoned)

    def open(self) -> Self:
        return self.exclude(state__in=ENDED)


class Job(models.Model):
    """What every kind of background work has in common. ``reason_code`` is for machines, ``reason_text`` for people."""

    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    reason_code = models.CharField(max_length=40, blank=True)
    reason_text = models.TextField(blank=True)
    actor_kind = models.CharField(max_length=10)
    actor_key = models.CharField(max_length=120)
    actor_name = models.CharField(max_length=255)
    cause_label = models.CharField(max_length=80, blank=True)
    cause_key = models.CharField(max_length=120, blank=True)
    cause_name = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    next_run_at = models.DateTimeField(db_index=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=5)
    worker = models.CharField(max_length=120, blank=True)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    progress_done = models.BigIntegerField(default=0)
    progress_total = models.BigIntegerField(null=True, blank=True)
    progress_unit = models.CharField(max_length=20, blank=True)
    progress_note = models.CharField(max_length=255, blank=True)

    objects = models.Manager["Job"]()
    queue = JobQuerySet.as_manager()

    # Whether it may be tried again by itself. Not where somebody's decision ordered it and may have been taken back since: there
    # the one that ordered it is tried again, asks all its questions anew, and orders another.
    stands_alone: ClassVar[bool] = True

    class Meta:
        abstract = True

    @property
    def actor(self) -> Actor:
        """Who asked for it."""
        return Actor(self.actor_kind, self.actor_key, self.actor_name)  # type: ignore[arg-type]

    @property
    def is_ended(self) -> bool:
        return self.state in ENDED

    @property
    def progress_percent(self) -> int | None:
        """0 to 100, or None while the total is unknown."""
        if not self.progress_total:
            return None
        return min(100, int(100 * self.progress_done / self.progress_total))


class Lock(models.Model):
    """A named lock with an end, for work that must not run twice at once across processes."""

    name = models.CharField(max_length=200, unique=True)
    owner = models.CharField(max_length=120)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class HostPause(models.Model):
    """A registry host that asked us to wait; every worker heeds it."""

    host = models.CharField(max_length=255, unique=True)
    until = models.DateTimeField()
    reason = models.CharField(max_length=255)

    def __str__(self) -> str:
        return f"{self.host} until {self.until:%H:%M:%S}"
