"""Two at once, on a database with real row locks: one wins, the other hears why, and nothing happens twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.utils import timezone

if TYPE_CHECKING:
    from tests.promotions.workflow.world import World

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(transactional_db: None) -> "World":
    from tests.promotions.workflow.world import make_world

    return make_world()


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run each in a thread of its own, started together; what each gave, or the Problem it met."""
    from portal.http.problem import Problem

    start = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            start.wait(timeout=20)
            return act()
        except Problem as problem:
            return problem.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_two_workers_start_one_execution(world: "World") -> None:
    from promotions.workflow.execute import start_execution
    from promotions.workflow.models import Execution, PromotionRequest
    from tests.promotions.workflow.world import put_image, say

    request = world.ask(put_image(world.ci))
    say("bob", world, request)
    copies = [PromotionRequest.objects.get(pk=request.pk) for _ in range(4)]
    results = at_once(*(lambda row=row: start_execution(row) for row in copies))
    assert results.count("conflict") == 3
    assert Execution.objects.count() == 1


def test_two_runners_order_one_copy(world: "World") -> None:
    from portal.jobs.run import run_job
    from promotions.workflow.execute import start_execution
    from promotions.workflow.models import Execution
    from registries.copies.models import CopyJob
    from tests.promotions.workflow.world import put_image, say

    request = world.ask(put_image(world.ci))
    say("bob", world, request)
    execution = start_execution(request)
    results = at_once(*[lambda: run_job(Execution, execution.pk)] * 4)
    assert results.count(None) == 3
    assert CopyJob.objects.count() == 1


def test_two_approvers_at_once_both_count(world: "World") -> None:
    from portal.approvals.models import Decision
    from promotions.workflow.decide import decide
    from promotions.workflow.models import PromotionRequest, RequestState
    from tests.promotions.workflow.world import put_image

    world.rule.required = 2
    world.rule.save()
    request = world.ask(put_image(world.ci))

    def approve(name: str) -> Callable[[], Any]:
        row = PromotionRequest.objects.get(pk=request.pk)
        return lambda: decide(world.people[name], row, "approve", "", row.version, row.evidence_digest).verdict

    assert at_once(approve("bob"), approve("carol")) == ["approve", "approve"]
    request.refresh_from_db()
    assert request.state == RequestState.READY
    assert Decision.objects.count() == 2


def test_one_person_in_two_windows_decides_once(world: "World") -> None:
    from portal.approvals.models import Decision
    from promotions.workflow.decide import decide
    from promotions.workflow.models import PromotionRequest
    from tests.promotions.workflow.world import put_image

    world.rule.required = 2
    world.rule.save()
    request = world.ask(put_image(world.ci))
    rows = [PromotionRequest.objects.get(pk=request.pk) for _ in range(2)]
    bob = world.people["bob"]
    acts = [lambda r=r: decide(bob, r, "approve", "", r.version, r.evidence_digest).verdict for r in rows]
    assert sorted(at_once(*acts)) == ["already_decided", "approve"]
    assert Decision.objects.count() == 1


@pytest.mark.parametrize("turn", range(3))
def test_approve_against_cancel(world: "World", turn: int) -> None:
    from promotions.workflow.decide import decide
    from promotions.workflow.models import PromotionRequest, RequestState
    from promotions.workflow.requests import cancel_request
    from tests.promotions.workflow.world import put_image

    request = world.ask(put_image(world.ci))
    mine, theirs = (PromotionRequest.objects.get(pk=request.pk) for _ in range(2))
    bob, alice = world.people["bob"], world.people["alice"]
    said, cancelled = at_once(
        lambda: decide(bob, mine, "approve", "", mine.version, mine.evidence_digest).verdict,
        lambda: cancel_request(alice.actor, theirs).state,
    )
    request.refresh_from_db()
    # Cancelling also ends what was approved a moment before; approving never revives what was cancelled.
    assert request.state == RequestState.CANCELLED
    assert said in {"approve", "conflict"}
    assert cancelled == RequestState.CANCELLED


def test_approve_against_expire(world: "World") -> None:
    from promotions.workflow.advance import advance
    from promotions.workflow.decide import decide
    from promotions.workflow.models import PromotionRequest, RequestState
    from tests.promotions.workflow.world import put_image

    request = world.ask(put_image(world.ci))
    row = PromotionRequest.objects.get(pk=request.pk)
    late = timezone.now() + timedelta(days=30)
    at_once(
        lambda: decide(world.people["bob"], row, "approve", "", row.version, row.evidence_digest).verdict,
        lambda: advance(late),
    )
    request.refresh_from_db()
    assert request.state == RequestState.EXPIRED


def test_two_asks_for_one_tag(world: "World") -> None:
    from promotions.workflow.models import PromotionRequest, TagLock
    from tests.promotions.workflow.world import put_image

    digests = [put_image(world.ci, labels={"build": str(number)}) for number in range(3)]
    results = at_once(*(lambda digest=digest: world.ask(digest).state for digest in digests))
    assert results.count("tag_busy") == 2
    assert PromotionRequest.objects.count() == TagLock.objects.count() == 1


def test_the_same_ask_many_times_at_once_is_one_request(world: "World") -> None:
    from promotions.workflow.models import PromotionRequest
    from tests.promotions.workflow.world import put_image

    digest = put_image(world.ci)
    results = at_once(*[lambda: world.ask(digest, target_tags=["1.4.2", "v1.4.2"]).public_id] * 4)
    assert len(set(results)) == 1
    assert PromotionRequest.objects.count() == 1


def test_asks_that_share_tags_in_another_order_do_not_lock_up(world: "World") -> None:
    from promotions.workflow.models import PromotionRequest
    from tests.promotions.workflow.world import put_image

    one, other = (put_image(world.ci, labels={"build": name}) for name in ("one", "other"))
    results = at_once(
        lambda: world.ask(one, target_tags=["1.0.0", "2.0.0", "3.0.0"]).state,
        lambda: world.ask(other, target_tags=["3.0.0", "2.0.0", "1.0.0"]).state,
    )
    assert results.count("tag_busy") == 1
    assert PromotionRequest.objects.count() == 1
