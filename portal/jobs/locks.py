"""Named locks with an end, and hosts that asked for a pause."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.jobs.models import HostPause, Lock


class Busy(Exception):
    """Somebody else holds the lock."""


@contextmanager
def held(name: str, owner: str, *, for_: timedelta = timedelta(minutes=5)) -> Iterator[None]:
    """Hold a lock for the block; raises Busy. An expired lock is taken over."""
    now = timezone.now()
    try:
        with transaction.atomic():
            Lock.objects.filter(name=name, until__lt=now).delete()
            Lock.objects.create(name=name, owner=owner, until=now + for_)
    except IntegrityError as error:
        raise Busy(f"{name} is held by somebody else.") from error
    try:
        yield
    finally:
        Lock.objects.filter(name=name, owner=owner).delete()


def pause_host(host: str, until: datetime, reason: str) -> None:
    """Make every worker leave a host alone until a time."""
    HostPause.objects.update_or_create(host=host, defaults={"until": until, "reason": reason[:255]})


def pause_of(host: str, now: datetime | None = None) -> HostPause | None:
    """The pause in force for a host."""
    return HostPause.objects.filter(host=host, until__gt=now or timezone.now()).first()
