"""Named locks: one holder, an end, and a way back from one that died."""

from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from portal.jobs.locks import Busy, held, pause_host, pause_of
from portal.jobs.models import Lock
from tests.portal.jobs.play import InThreads

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


def test_a_lock_has_one_holder_and_is_free_afterwards() -> None:
    with held("sync", "alice"), pytest.raises(Busy, match="sync is held"), held("sync", "bob"):
        pytest.fail("Both held it.")
    with held("sync", "bob"):
        assert Lock.objects.get().owner == "bob"
    assert not Lock.objects.exists()


def test_a_lock_is_given_back_when_its_work_fails() -> None:
    with pytest.raises(ZeroDivisionError), held("sync", "alice"):
        1 / 0  # noqa: B018
    assert not Lock.objects.exists()


def test_a_lock_whose_holder_died_is_taken_over_and_not_given_back_by_the_dead() -> None:
    with held("sync", "alice"):
        Lock.objects.update(until=timezone.now() - timedelta(seconds=1))
        holder = held("sync", "bob")
        holder.__enter__()
    assert Lock.objects.get().owner == "bob"
    holder.__exit__(None, None, None)
    assert not Lock.objects.exists()


def test_a_pause_ends_by_itself_and_can_be_renewed() -> None:
    now = timezone.now()
    pause_host("registry.example", now + timedelta(minutes=1), "429")
    pause_host("registry.example", now + timedelta(minutes=2), "x" * 300)
    pause = pause_of("registry.example", now + timedelta(seconds=90))
    assert pause is not None
    assert len(pause.reason) == 255
    assert pause_of("registry.example", now + timedelta(minutes=3)) is None
    assert pause_of("other.example", now) is None


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_gets_the_lock(in_threads: InThreads) -> None:
    Lock.objects.create(name="sync", owner="dead", until=timezone.now() - timedelta(seconds=1))

    holders = [held("sync", f"runner {number}") for number in range(6)]

    def take(holder: AbstractContextManager[None]) -> bool:
        try:
            holder.__enter__()
        except Busy:
            return False
        return True

    assert sum(in_threads(*(partial(take, holder) for holder in holders))) == 1
