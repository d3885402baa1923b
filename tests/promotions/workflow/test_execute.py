"""From ready to read back, and every way it can go wrong in between."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from portal.http.problem import Problem
from portal.jobs.models import JobState
from portal.jobs.run import request_cancel, retry_now
from promotions.replication.models import Delivery, ReplicationRule
from promotions.workflow.advance import advance
from promotions.workflow.models import Execution, GateResult, PromotionPath, PromotionRequest, RequestState, TagLock
from promotions.workflow.requests import cancel_request, retry_request
from registries.access.models import RobotAccount
from registries.catalog.models import Hold, Placement
from registries.copies.models import CopyJob
from registries.topology.models import ZoneKind
from tests.promotions.workflow.world import World, begin, end_copy, make_registry, put_image, say


@pytest.fixture
def ready(world: World) -> PromotionRequest:
    request = world.ask(put_image(world.ci))
    say("bob", world, request)
    return request


def now_in(request: PromotionRequest) -> tuple[str, str]:
    request.refresh_from_db()
    return request.state, request.reason_code


def test_ready_becomes_promoted_when_prod_was_read_back(world: World, ready: PromotionRequest) -> None:
    assert advance() == 1
    execution = begin_again()
    copy = CopyJob.objects.get()
    assert (copy.principal, copy.purpose, copy.tags) == ("pipeline", "promotion", ["1.4.2"])
    assert copy.expected_digests == {"1.4.2": ""}
    assert execution.reason_code == "copying"
    end_copy(execution)
    assert now_in(ready) == (RequestState.PROMOTED, "")
    assert execution.state == JobState.DONE
    assert not TagLock.objects.exists()
    assert not Hold.objects.exists()


def begin_again() -> Execution:
    from portal.jobs.run import run_job

    execution = Execution.objects.get()
    run_job(Execution, execution.pk)
    execution.refresh_from_db()
    return execution


def test_it_is_started_once(world: World, ready: PromotionRequest) -> None:
    assert advance() == 1
    assert advance() == 0
    assert Execution.objects.count() == 1


def test_a_copy_that_fails_fails_the_promotion_with_its_reason(world: World, ready: PromotionRequest) -> None:
    execution = begin(ready)
    end_copy(execution, JobState.FAILED, reason_code="target_tag_conflict", reason_text="The tag has moved.")
    assert now_in(ready) == (RequestState.FAILED, "target_tag_conflict")
    assert ready.reason_text == "The tag has moved."
    assert execution.state == JobState.FAILED
    assert not TagLock.objects.exists()


def test_done_without_being_read_back_is_not_done(world: World, ready: PromotionRequest) -> None:
    execution = begin(ready)
    end_copy(execution, verified_at=None)
    assert now_in(ready) == (RequestState.FAILED, "not_verified")


def test_a_failed_promotion_can_be_tried_again(world: World, ready: PromotionRequest) -> None:
    end_copy(begin(ready), JobState.FAILED, reason_code="unreachable", reason_text="prod did not answer.")
    retry_request(world.robot.actor, ready)
    assert now_in(ready)[0] == RequestState.READY
    assert TagLock.objects.exists()
    end_copy(begin(ready))
    assert now_in(ready)[0] == RequestState.PROMOTED


def test_the_runner_that_died_after_writing_it_down(world: World, ready: PromotionRequest) -> None:
    execution = begin(ready)
    PromotionRequest.objects.update(state=RequestState.PROMOTED)
    end_copy(execution)
    assert execution.state == JobState.DONE


def test_an_approver_who_lost_the_role_no_longer_counts(world: World, ready: PromotionRequest) -> None:
    world.people["bob"].role_grants.all().delete()
    begin(ready)
    assert now_in(ready) == (RequestState.AWAITING_APPROVAL, "approver_ineligible")
    assert not CopyJob.objects.exists()
    say("carol", world, ready)
    end_copy(begin(ready))
    assert now_in(ready)[0] == RequestState.PROMOTED


def test_an_approver_whose_account_was_closed_no_longer_counts(world: World, ready: PromotionRequest) -> None:
    world.people["bob"].is_active = False
    world.people["bob"].save()
    begin(ready)
    assert now_in(ready) == (RequestState.AWAITING_APPROVAL, "approver_ineligible")


def test_a_robot_that_was_switched_off_carries_nothing(world: World, ready: PromotionRequest) -> None:
    RobotAccount.objects.update(is_active=False)
    begin(ready)
    assert now_in(ready) == (RequestState.BLOCKED, "requester_ineligible")


def test_an_artifact_that_went_is_said_so(world: World, ready: PromotionRequest) -> None:
    Placement.objects.update(absent_since=timezone.now())
    begin(ready)
    assert now_in(ready) == (RequestState.BLOCKED, "source_missing")


def test_a_tag_that_appeared_in_between_voids_the_approvals(world: World, ready: PromotionRequest) -> None:
    put_image(world.prod, version="0.0.1", tag="1.4.2")
    begin(ready)
    assert now_in(ready) == (RequestState.BLOCKED, "drift")
    assert ready.round == 2
    assert not CopyJob.objects.exists()


def test_gates_are_asked_again_right_before(world: World, ready: PromotionRequest) -> None:
    for manifest in [edge.child for edge in Placement.objects.get().manifest.edges.all()]:
        assert manifest is not None
        manifest.labels = {}
        manifest.save()
    begin(ready)
    assert now_in(ready) == (RequestState.BLOCKED, "gate_failed")
    assert GateResult.objects.filter(phase="pre_execute").exists()


def test_a_path_that_was_switched_off_carries_nothing(world: World, ready: PromotionRequest) -> None:
    PromotionPath.objects.update(is_enabled=False)
    begin(ready)
    assert now_in(ready) == (RequestState.BLOCKED, "path_disabled")


def test_a_path_that_was_led_elsewhere_takes_nothing_there(world: World, ready: PromotionRequest) -> None:
    """Rules and gates are pinned, so the weak ones of one target must not serve for another."""
    other = make_registry("prod-two", ZoneKind.PROD)
    PromotionPath.objects.update(target=other)
    begin(ready)
    assert now_in(ready) == (RequestState.BLOCKED, "path_changed")
    assert not CopyJob.objects.exists()
    with pytest.raises(Problem) as refusal:
        retry_request(world.robot.actor, ready)
    assert refusal.value.code == "path_changed"


def test_an_execution_that_breaks_for_good_fails_the_request(world: World, ready: PromotionRequest) -> None:
    execution = begin(ready)
    Execution.objects.filter(pk=execution.pk).update(
        state=JobState.FAILED, reason_code="error", reason_text="ZeroDivisionError: out of cheese"
    )
    assert advance() == 1
    assert now_in(ready) == (RequestState.FAILED, "error")


def test_what_a_movable_tag_had_is_held_for_a_rollback(world: World) -> None:
    PromotionPath.objects.update(tag_policy=PromotionPath.TagPolicy.MOVABLE)
    world.path.refresh_from_db()
    old = put_image(world.prod, version="1.4.1", tag="1.4.2")
    request = world.ask(put_image(world.ci))
    say("bob", world, request)
    end_copy(begin(request))
    hold = Hold.objects.get()
    assert (hold.digest, hold.kind) == (old, Hold.Kind.ROLLBACK)


@pytest.fixture
def promoted(world: World, ready: PromotionRequest) -> PromotionRequest:
    end_copy(begin(ready))
    put_image(world.prod, tag="1.4.2")
    return ready


def test_without_regions_promoted_is_completed(world: World, promoted: PromotionRequest) -> None:
    advance()
    assert now_in(promoted)[0] == RequestState.COMPLETED


def test_completed_only_when_every_region_was_read_back(world: World, promoted: PromotionRequest) -> None:
    rows = [_follow(world, name) for name in ("prod-eu", "prod-us")]
    advance()
    assert now_in(promoted)[0] == RequestState.PROMOTED
    for rule in rows:
        Delivery.objects.create(
            rule=rule, repository="payments/api", tag="1.4.2", digest=promoted.items.get().digest,
            state=Delivery.State.PRESENT, wanted_at=timezone.now(), verified_at=timezone.now(),
        )  # fmt: skip
        advance()
    assert now_in(promoted)[0] == RequestState.COMPLETED
    assert "prod-eu, prod-us" in promoted.reason_text


def test_a_region_that_fails_makes_it_degraded_not_undone(world: World, promoted: PromotionRequest) -> None:
    delivery = Delivery.objects.create(
        rule=_follow(world, "prod-eu"), repository="payments/api", tag="1.4.2", digest=promoted.items.get().digest,
        state=Delivery.State.FAILED, wanted_at=timezone.now(), reason_text="prod-eu does not answer.",
    )  # fmt: skip
    advance()
    advance()
    assert now_in(promoted)[0] == RequestState.PROMOTED
    assert promoted.is_degraded
    Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.PRESENT, verified_at=timezone.now())
    advance()
    assert now_in(promoted)[0] == RequestState.COMPLETED
    assert not promoted.is_degraded


def _follow(world: World, name: str) -> ReplicationRule:
    replica = make_registry(name, ZoneKind.PROD, primary=world.prod, is_replication_enabled=True)
    return ReplicationRule.objects.create(name=name, source=world.prod, target=replica)


def test_what_nobody_decided_expires(world: World) -> None:
    request = world.ask(put_image(world.ci))
    assert advance(timezone.now() + timedelta(days=6)) == 0
    assert advance(timezone.now() + timedelta(days=8)) == 1
    assert now_in(request) == (RequestState.EXPIRED, "expired")
    assert not TagLock.objects.exists()


def test_nobody_tries_a_copy_again_whose_promotion_was_called_off(world: World, ready: PromotionRequest) -> None:
    """Only the request can be tried again: it asks gates and people anew."""
    execution = begin(ready)
    cancel_request(world.robot.actor, ready)
    end_copy(execution, JobState.CANCELLED, reason_code="cancelled")
    assert now_in(ready)[0] == RequestState.CANCELLED
    for job in (CopyJob.objects.get(), execution):
        assert not retry_now(job, world.people["bob"].actor)
        job.refresh_from_db()
        assert job.is_ended


def test_the_admin_offers_no_second_try_of_a_copy(world: World, ready: PromotionRequest, client: Client) -> None:
    execution = begin(ready)
    cancel_request(world.robot.actor, ready)
    end_copy(execution, JobState.CANCELLED, reason_code="cancelled")
    client.force_login(world.people["bob"])
    for address in ("/admin/copies/copyjob/", "/admin/promotions/execution/"):
        assert "retry_selected" not in client.get(address).content.decode()
        form = {"action": "retry_selected", "_selected_action": [CopyJob.objects.get().pk, execution.pk]}
        client.post(address, form)
    assert CopyJob.objects.get().state == JobState.CANCELLED


def test_an_execution_that_was_cancelled_by_itself_takes_its_copy_with_it(
    world: World, ready: PromotionRequest
) -> None:
    """A copy that is on its way could still put the tag, so nothing is settled before it has stopped."""
    execution = begin(ready)
    CopyJob.objects.update(state=JobState.RUNNING)
    assert request_cancel(execution)
    advance()
    assert now_in(ready)[0] == RequestState.EXECUTING
    assert TagLock.objects.exists()
    assert CopyJob.objects.get().cancel_requested_at is not None
    CopyJob.objects.update(state=JobState.CANCELLED)
    advance()
    assert now_in(ready) == (RequestState.CANCELLED, "cancelled")


def test_a_copy_that_was_faster_than_the_end_of_its_execution_counts(world: World, ready: PromotionRequest) -> None:
    execution = begin(ready)
    assert request_cancel(execution)
    now = timezone.now()
    CopyJob.objects.update(state=JobState.DONE, verified_at=now, tagged_at=now)
    advance()
    assert now_in(ready)[0] == RequestState.COMPLETED
