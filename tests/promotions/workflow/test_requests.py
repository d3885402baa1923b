"""What may be asked for, and what comes of it."""

from typing import Any

import pytest
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.http.problem import Problem
from portal.jobs.models import JobState
from portal.outbox.models import Message
from promotions.workflow.execute import start_execution
from promotions.workflow.models import ImmutableFieldError, PromotionPath, PromotionRequest, RequestState, TagLock
from promotions.workflow.requests import cancel_request, retry_request
from registries.access.models import RobotAccount
from registries.catalog.models import Hold, Placement, SyncJob
from registries.oci.digest import Digest
from registries.topology.models import ZoneKind
from tests.promotions.workflow.world import World, begin, end_copy, make_registry, put_image, say


def refused(world: World, digest: Any, *arguments: Any, **changes: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        world.ask(digest, *arguments, **changes)
    assert not PromotionRequest.objects.exclude(state=RequestState.PROMOTED).exclude(public_id="kept").exists()
    assert not Hold.objects.filter(kind=Hold.Kind.PROMOTION).exists()
    return caught.value


def test_ci_asks_in_the_name_of_alice(world: World) -> None:
    digest = put_image(world.ci, tag="1.4.2-rc3")
    request = world.ask(digest, source_tag="1.4.2-rc3", ci={"commit": "9f2"}, changelog="Fixes rounding.")
    item = request.items.get()
    assert request.state == RequestState.AWAITING_APPROVAL
    assert (request.requester_name, request.on_behalf_of.username) == ("robot.payments-ci", "alice")
    assert item.expected_digests == {"1.4.2": ""}
    assert item.difference["baseline"]["is_first"]
    assert "release managers: bob, carol" in request.reason_text
    assert TagLock.objects.get().request == request
    assert Hold.objects.get().digest == digest
    events = AuditEvent.objects.filter(object_label="promotions.promotionrequest", object_key=str(request.pk))
    verbs = list(events.values_list("verb", flat=True).order_by("id"))
    assert verbs == ["promotion.requested", "promotion.awaiting_approval"]


def test_approvers_are_told_where_to_look(world: World) -> None:
    request = world.ask(put_image(world.ci))
    mails = Message.objects.filter(topic="promotion.approval_needed")
    assert sorted(mails.values_list("destination", flat=True)) == ["bob@example.com", "carol@example.com"]
    assert f"/admin/promotions/promotionrequest/{request.pk}/review/" in mails[0].body
    assert f"/promotions/{request.public_id}/" in mails[0].body


def test_a_gate_that_fails_blocks_and_says_why(world: World) -> None:
    digest = put_image(world.ci, platforms=("linux/amd64",))
    request = world.ask(digest)
    assert request.state == RequestState.BLOCKED
    assert request.reason_code == "gate_failed"
    assert "linux/arm64" in request.reason_text


def test_a_gate_that_only_warns_does_not_block(world: World) -> None:
    world.path.gates.filter(gate="platforms").update(enforcement="warn")
    request = world.ask(put_image(world.ci, platforms=("linux/amd64",)))
    assert request.state == RequestState.AWAITING_APPROVAL
    assert request.gate_results.get(gate="platforms").status == "warn"


def test_a_gate_that_is_set_up_wrongly_blocks(world: World) -> None:
    world.path.gates.filter(gate="platforms").update(parameters={})
    request = world.ask(put_image(world.ci))
    assert (request.state, request.reason_code) == (RequestState.BLOCKED, "gate_error")


def test_parts_that_were_not_read_yet_block(world: World) -> None:
    digest = put_image(world.ci)
    Placement.objects.get().manifest.edges.update(child=None)
    assert world.ask(digest).reason_code == "gate_error"


def test_a_person_of_the_team_may_ask(world: World) -> None:
    request = world.ask_myself("alice", put_image(world.ci))
    assert request.requester_name == "alice"


def test_an_outsider_may_not_ask(world: World) -> None:
    with pytest.raises(Problem) as caught:
        world.ask_myself("eve", put_image(world.ci))
    assert (caught.value.status, caught.value.code) == (403, "not_allowed")
    assert "#payments" in caught.value.detail


@pytest.mark.parametrize("change", [{"kind": RobotAccount.Kind.CONSUMER}, {"is_active": False}])
def test_only_an_active_robot_of_ci_may_ask(world: World, change: dict[str, Any]) -> None:
    RobotAccount.objects.filter(pk=world.robot.pk).update(**change)
    world.robot.refresh_from_db()
    assert refused(world, put_image(world.ci)).code == "not_allowed"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"digest": "sha256:123"}, 400, "bad_digest"),
        ({"digest": "1.4.2"}, 400, "bad_digest"),
        ({"digest": str(Digest.of(b"never seen"))}, 404, "source_missing"),
        ({"source_repository": "payments/other"}, 404, "source_missing"),
        ({"source_repository": "Payments/API"}, 400, "bad_repository"),
        ({"target_repository": "../prod"}, 400, "bad_repository"),
        ({"target_tags": []}, 400, "bad_tags"),
        ({"target_tags": [f"1.0.{n}" for n in range(21)]}, 400, "bad_tags"),
        ({"target_tags": ["1.4.2", ""]}, 400, "bad_tag"),
        ({"target_tags": ["-1"]}, 400, "bad_tag"),
        ({"target_tags": ["a" * 129]}, 400, "bad_tag"),
        ({"source_tag": "nope"}, 409, "source_tag_mismatch"),
        ({"source_tag": "moved"}, 409, "source_tag_mismatch"),
    ],
)
def test_bad_asks_are_refused_with_a_code(world: World, changes: dict[str, Any], status: int, code: str) -> None:
    digest = put_image(world.ci)
    put_image(world.ci, version="9.9.9", tag="moved")
    problem = refused(world, **{"digest": digest, **changes})
    assert (problem.status, problem.code) == (status, code)


def test_asking_right_after_the_push_has_the_registry_looked_at(world: World) -> None:
    digest = Digest.of(b"pushed a second ago")
    for _ in range(2):
        assert refused(world, digest).code == "source_missing"
    job = SyncJob.objects.get()
    assert (job.registry, job.repository_name) == (world.ci, "payments/api")


def test_a_path_that_is_switched_off_takes_nothing(world: World) -> None:
    digest = put_image(world.ci)
    world.path.is_enabled = False
    assert refused(world, digest).code == "path_disabled"


def test_a_path_only_takes_what_it_is_for(world: World) -> None:
    digest = put_image(world.ci)
    world.path.repository_glob = "billing/**"
    assert refused(world, digest).code == "not_on_path"


def test_nothing_leaves_a_sandbox_even_if_the_row_says_so(world: World) -> None:
    path = PromotionPath.objects.create(name="smuggle", source=world.sandbox, target=world.prod)
    digest = put_image(world.sandbox)
    problem = refused(world, digest, path=path)
    assert problem.code == "path_forbidden"
    assert "sandbox" in problem.detail


def test_replicas_are_no_targets(world: World) -> None:
    replica = make_registry("prod-eu", ZoneKind.PROD, primary=world.prod)
    path = PromotionPath.objects.create(name="aside", source=world.ci, target=replica)
    assert refused(world, put_image(world.ci), path=path).code == "path_forbidden"


def test_an_immutable_tag_never_moves(world: World) -> None:
    old = put_image(world.prod, version="1.4.1", tag="1.4.2")
    problem = refused(world, put_image(world.ci))
    assert problem.code == "target_tag_conflict"
    assert str(old) in problem.detail


def test_a_movable_tag_may_and_what_it_had_is_on_record(world: World) -> None:
    PromotionPath.objects.update(tag_policy=PromotionPath.TagPolicy.MOVABLE)
    world.path.refresh_from_db()
    old = put_image(world.prod, version="1.4.1", tag="1.4.2")
    item = world.ask(put_image(world.ci)).items.get()
    assert item.expected_digests == {"1.4.2": str(old)}
    assert item.difference["baseline"] == {"digest": str(old), "tag": "1.4.2", "is_first": False}


def test_what_is_there_already_need_not_be_asked_for(world: World) -> None:
    digest = put_image(world.ci)
    put_image(world.prod, tag="1.4.2")
    assert refused(world, digest).code == "already_promoted"


def test_the_same_ask_gives_the_same_request(world: World) -> None:
    digest = put_image(world.ci)
    first = world.ask(digest, target_tags=["1.4.2", "v1.4.2"])
    again = world.ask(digest, target_tags=["v1.4.2", "1.4.2", "1.4.2"])
    assert again.pk == first.pk
    assert again.is_replay
    assert not first.is_replay


def test_another_ask_for_the_same_tag_is_told_whose_it_is(world: World) -> None:
    first = world.ask(put_image(world.ci))
    other = put_image(world.ci, labels={"built": "again"})
    with pytest.raises(Problem) as caught:
        world.ask(other)
    assert caught.value.code == "tag_busy"
    assert caught.value.extra["promotion"] == first.public_id


def test_nobody_left_to_approve_is_said_at_once(world: World) -> None:
    world.rule.required = 3
    world.rule.save()
    problem = refused(world, put_image(world.ci))
    assert (problem.status, problem.code) == (422, "policy_unsatisfiable")
    assert "release managers" in problem.detail


def test_the_only_release_manager_cannot_ask_for_a_thing_only_they_may_approve(world: World) -> None:
    world.people["carol"].role_grants.all().delete()
    problem = refused(world, put_image(world.ci), on_behalf_of=world.people["bob"])
    assert problem.code == "policy_unsatisfiable"


def test_prod_takes_nothing_that_no_rule_speaks_of(world: World) -> None:
    world.rule.repository_globs = ["billing/**"]
    world.rule.save()
    assert refused(world, put_image(world.ci)).code == "policy_unsatisfiable"


def test_a_rule_that_asks_nobody_does_not_open_prod(world: World) -> None:
    type(world.rule).objects.update(required=0)
    assert refused(world, put_image(world.ci)).code == "policy_unsatisfiable"


def test_elsewhere_gates_alone_may_be_enough(world: World) -> None:
    tests = make_registry("ci-tests", ZoneKind.CI_TESTS)
    path = PromotionPath.objects.create(name="aside", source=world.ci, target=tests)
    assert world.ask(put_image(world.ci), path=path).state == RequestState.READY


def test_what_people_decide_about_cannot_be_changed(world: World) -> None:
    request = world.ask(put_image(world.ci))
    request.on_behalf_of = world.people["eve"]
    with pytest.raises(ImmutableFieldError):
        request.save()
    with pytest.raises(ImmutableFieldError):
        request.save(update_fields=["on_behalf_of"])


def test_the_policy_is_pinned(world: World) -> None:
    digest = put_image(world.ci, platforms=("linux/amd64",))
    request = world.ask(digest)
    world.path.gates.filter(gate="platforms").delete()
    retry_request(world.people["alice"].actor, request)
    request.refresh_from_db()
    assert request.state == RequestState.BLOCKED
    with pytest.raises(Problem) as again:
        world.ask(digest)
    assert again.value.code == "tag_busy"


def test_gates_can_be_asked_again(world: World) -> None:
    digest = put_image(world.ci)
    edges = Placement.objects.get().manifest.edges
    children = {edge.pk: edge.child for edge in edges.all()}
    edges.update(child=None)
    request = world.ask(digest)
    for pk, child in children.items():
        edges.filter(pk=pk).update(child=child)
    retry_request(world.robot.actor, request)
    request.refresh_from_db()
    assert request.state == RequestState.AWAITING_APPROVAL
    assert request.round == 2


def test_a_stranger_can_neither_cancel_nor_retry(world: World) -> None:
    request = world.ask(put_image(world.ci))
    for operation in (cancel_request, retry_request):
        with pytest.raises(Problem, match=r"Only robot\.payments-ci"):
            operation(world.people["eve"].actor, request)


def test_cancelling_frees_the_tag(world: World) -> None:
    digest = put_image(world.ci)
    request = world.ask(digest)
    cancel_request(world.people["alice"].actor, request)
    cancel_request(world.people["alice"].actor, request)
    assert PromotionRequest.objects.get().state == RequestState.CANCELLED
    assert not TagLock.objects.exists()
    assert not Hold.objects.exists()
    assert world.ask(digest).pk != request.pk


def test_cancelling_while_it_is_copied_stops_the_copy(world: World) -> None:
    request = world.ask(put_image(world.ci))
    say("bob", world, request)
    execution = begin(request)
    cancel_request(world.people["alice"].actor, request)
    assert execution.copy_job is not None
    execution.copy_job.refresh_from_db()
    assert execution.copy_job.state == JobState.CANCELLED
    end_copy(execution, JobState.CANCELLED)
    request.refresh_from_db()
    assert request.state == RequestState.CANCELLED
    assert not TagLock.objects.exists()


def test_cancelling_before_the_copy_was_ordered(world: World) -> None:
    request = world.ask(put_image(world.ci))
    say("bob", world, request)
    execution = start_execution(request)
    cancel_request(world.people["bob"].actor, request)
    end_copy(execution, JobState.CANCELLED)
    request.refresh_from_db()
    assert (request.state, execution.copy_job) == (RequestState.CANCELLED, None)


def test_after_the_first_tag_it_is_too_late(world: World) -> None:
    request = world.ask(put_image(world.ci))
    say("bob", world, request)
    execution = begin(request)
    assert execution.copy_job is not None
    execution.copy_job.tagged_at = timezone.now()
    execution.copy_job.save()
    with pytest.raises(Problem) as caught:
        cancel_request(world.people["alice"].actor, request)
    assert caught.value.code == "past_point_of_no_return"
