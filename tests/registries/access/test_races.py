"""Two processes at once: one key, one epoch, no count lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest
from django.db import connection
from django.utils import timezone

from portal.actor import system
from portal.audit.models import AuditEvent
from portal.http.problem import Problem
from registries.access.counts.record_models import AccessUse, Denial, TokenCount
from registries.access.counts.tally import Tally
from registries.access.drafting.drafts import put_in_force
from registries.access.epoch import bump_epoch, current_epoch
from registries.access.facts import Grant, Verdict
from registries.access.models import AccessRule, PolicyEpoch, SigningKey
from registries.access.principals import Principal
from registries.access.signing.keys import ensure_key
from registries.oci.scope import Scope
from registries.topology.models import Reach
from tests.registries.access.cast import make_registry

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
T = TypeVar("T")
THREADS = 6


def at_once(act: Callable[[], T]) -> list[T]:
    """The same in several threads that start together, each with a connection of its own."""
    gate = Barrier(THREADS)

    def run(_: int) -> T:
        try:
            connection.ensure_connection()
            gate.wait(20)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_one_key_is_made() -> None:
    prod = make_registry("prod", reach=Reach.OBSERVED)
    keys = at_once(lambda: ensure_key(prod).pk)
    assert len(set(keys)) == 1
    assert SigningKey.objects.count() == 1


def test_the_first_epoch_and_all_later_ones_are_one_row() -> None:
    PolicyEpoch.objects.all().delete()
    at_once(bump_epoch)
    first = current_epoch()
    at_once(bump_epoch)
    assert PolicyEpoch.objects.count() == 1
    assert current_epoch() > first


def test_no_count_is_lost_between_processes() -> None:
    prod, now = make_registry("prod"), timezone.now()
    grant = Grant(Scope.repository("a", "push"), (Verdict("push", False, "pipeline_only", "no"),))

    alice = Principal("user", "7", "alice", address="10.1.2.3")

    def process() -> None:
        tally = Tally()
        for _ in range(5):
            tally.note_token(prod.pk, alice, (grant,), "narrowed", now)
            tally.note_denials(prod.pk, "alice", (grant,), now)
            tally.flush()

    at_once(process)
    assert TokenCount.objects.get().count == THREADS * 5
    assert Denial.objects.get().count == THREADS * 5
    assert AccessUse.objects.get().count == THREADS * 5


def test_drafts_are_put_in_force_by_one_of_many_who_try() -> None:
    prod = make_registry("prod")
    rule = AccessRule.objects.create(zone=prod.zone, pattern="payments/**")
    drafts = [
        AccessRule.objects.create(zone=prod.zone, pattern=f"{name}/**", is_draft=True, replaces=rule) for name in "ab"
    ]

    def act() -> str:
        try:
            return str(len(put_in_force(system("portal"), drafts)))
        except Problem as problem:
            return problem.code

    assert sorted(at_once(act)) == sorted(["2", *["no_draft"] * (THREADS - 1)])
    assert AuditEvent.objects.filter(verb="accessrule.put_in_force").count() == 2
    assert AuditEvent.objects.filter(verb="accessrule.ended").count() == 1
