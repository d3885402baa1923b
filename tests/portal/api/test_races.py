"""Two at once, on a database that lets them: one does the work."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from portal.http.idempotency import Answer, answer_once
from portal.http.problem import Problem
from portal.users.models import Team
from promotions.archive.entries import start_intake
from promotions.archive.models import ArchiveEntry, IntakeJob
from promotions.replication.models import Delivery
from promotions.replication.reconcile import reconcile
from promotions.workflow.models import PromotionRequest
from registries.copies.models import CopyJob
from registries.topology.models import ZoneKind
from tests.portal.api.office import open_office
from tests.promotions.replication.regions import make_regions
from tests.promotions.workflow.world import SETUP, make_registry

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
AT_ONCE = 6


def at_once(work: Callable[[], Any]) -> list[Any]:
    """What each of several threads got, all started at the same moment."""
    gate = threading.Barrier(AT_ONCE)

    def one(_: int) -> Any:
        try:
            gate.wait(20)
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def test_one_key_does_its_work_once() -> None:
    done: list[int] = []

    def work() -> Answer:
        done.append(1)
        return Answer(202, {"id": len(done)})

    def ask() -> str:
        try:
            return str(answer_once("robot:1", "k", {"a": 1}, work).body["id"])
        except Problem as refusal:
            return refusal.code

    assert set(at_once(ask)) <= {"1", "in_flight"}
    assert done == [1]


def test_the_same_ask_without_a_key_is_one_promotion() -> None:
    office = open_office()
    body = office.body(office.build())
    answers = at_once(lambda: office["robot.payments-ci"].post("/promotions", body))
    assert sorted(answer.status for answer in answers) == [200] * (AT_ONCE - 1) + [202], [row.body for row in answers]
    assert PromotionRequest.objects.count() == 1


def test_one_entry_has_one_intake() -> None:
    entry = ArchiveEntry.objects.create(
        upstream=make_registry("hub", ZoneKind.UPSTREAM),
        upstream_repository="library/alpine",
        upstream_tag="3.20",
        archive=make_registry("archive", ZoneKind.ARCHIVE),
        repository="alpine",
        tag="3.20",
        owner=Team.objects.create(name="platform"),
        reason="x",
    )
    jobs = at_once(lambda: start_intake(SETUP, ArchiveEntry.objects.get(pk=entry.pk)).pk)
    assert len(set(jobs)) == 1
    assert IntakeJob.objects.count() == 1


def test_reconciling_at_once_orders_once() -> None:
    regions = make_regions()
    for number in range(5):
        regions.push(version=f"1.0.{number}", tag=f"1.0.{number}")
    at_once(reconcile)
    assert Delivery.objects.count() == 5
    assert CopyJob.objects.count() == 5
    assert set(Delivery.objects.values_list("state", flat=True)) == {"copying"}
