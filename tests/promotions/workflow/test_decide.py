"""Who may say yes, and to what exactly?"""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.approvals.models import ApprovalRule, Decision
from portal.audit.models import AppendOnlyError
from portal.http.problem import Problem
from portal.users.accounts import grant_role
from portal.users.models import Role
from promotions.workflow.advance import advance
from promotions.workflow.decide import decide
from promotions.workflow.models import PromotionRequest, RequestState
from promotions.workflow.requests import cancel_request, retry_request
from tests.promotions.workflow.world import SETUP, World, put_image, say


def refused(world: World, name: str, request: PromotionRequest, verdict: str = "approve", comment: str = "x") -> str:
    with pytest.raises(Problem) as caught:
        say(name, world, request, verdict, comment)
    return caught.value.code


@pytest.fixture
def request_(world: World) -> PromotionRequest:
    return world.ask(put_image(world.ci))


def test_bob_approves(world: World, request_: PromotionRequest) -> None:
    say("bob", world, request_)
    assert request_.state == RequestState.READY
    decision = Decision.objects.get()
    assert (decision.user.username, decision.rule_names) == ("bob", ["release managers"])
    assert decision.evidence_digest == request_.evidence_digest


def test_alice_is_behind_the_ci_job_and_may_not(world: World, request_: PromotionRequest) -> None:
    grant_role(SETUP, world.people["alice"], Role.RELEASE_MANAGER)
    assert refused(world, "alice", request_) == "self_approval"
    assert not Decision.objects.exists()


def test_a_release_manager_who_asks_may_not_approve_that(world: World) -> None:
    request = world.ask_myself("bob", put_image(world.ci))
    assert refused(world, "bob", request) == "self_approval"
    say("carol", world, request)
    assert request.state == RequestState.READY


def test_who_built_it_may_not_approve_it(world: World) -> None:
    request = world.ask(put_image(world.ci), ci={"commit_author": "bob@example.com"})
    assert refused(world, "bob", request) == "self_approval"


def test_a_superuser_is_no_approver(world: World, request_: PromotionRequest) -> None:
    assert refused(world, "dave", request_) == "not_an_approver"


def test_an_outsider_is_told_whom_to_ask(world: World, request_: PromotionRequest) -> None:
    with pytest.raises(Problem, match="bob, carol"):
        say("eve", world, request_)


def test_one_person_decides_once(world: World) -> None:
    world.rule.required = 2
    world.rule.save()
    request = world.ask(put_image(world.ci))
    say("bob", world, request)
    assert request.state == RequestState.AWAITING_APPROVAL
    assert "1 of 2" in request.reason_text
    assert refused(world, "bob", request) == "already_decided"
    say("carol", world, request)
    assert request.state == RequestState.READY


def test_two_people_who_looked_at_the_same_page_both_count(world: World) -> None:
    world.rule.required = 2
    world.rule.save()
    request = world.ask(put_image(world.ci))
    version, evidence = request.version, request.evidence_digest
    for name in ("bob", "carol"):
        decide(world.people[name], request, "approve", "", version, evidence)
    assert request.state == RequestState.READY


def test_a_page_that_is_out_of_date_decides_nothing(world: World, request_: PromotionRequest) -> None:
    version, evidence = request_.version, request_.evidence_digest
    retry_request(world.robot.actor, request_)
    with pytest.raises(Problem) as caught:
        decide(world.people["bob"], request_, "approve", "", version, evidence)
    assert caught.value.code == "stale"
    with pytest.raises(Problem, match="changed since"):
        decide(world.people["bob"], request_, "approve", "", request_.version, "sha256:other")
    assert not Decision.objects.exists()


def test_one_no_ends_it(world: World, request_: PromotionRequest) -> None:
    assert refused(world, "bob", request_, "reject", "  ") == "comment_required"
    say("bob", world, request_, "reject", "Not before the audit.")
    assert request_.state == RequestState.REJECTED
    assert "Not before the audit." in request_.reason_text
    assert refused(world, "carol", request_) == "conflict"


def test_an_approval_can_be_taken_back_until_it_is_used(world: World, request_: PromotionRequest) -> None:
    say("bob", world, request_)
    say("bob", world, request_, "withdraw", "")
    assert request_.state == RequestState.AWAITING_APPROVAL
    assert refused(world, "bob", request_, "withdraw") == "nothing_to_withdraw"
    say("bob", world, request_)
    assert request_.state == RequestState.READY


def test_one_too_many_taken_back_changes_nothing(world: World) -> None:
    ApprovalRule.objects.create(
        policy_label="promotions.promotionpath",
        policy_key=str(world.path.pk),
        name="anybody",
        role=Role.RELEASE_MANAGER,
    )
    grant_role(SETUP, world.people["eve"], Role.RELEASE_MANAGER)
    request = world.ask(put_image(world.ci))
    say("bob", world, request)
    say("carol", world, request)
    assert request.state == RequestState.READY
    say("carol", world, request, "withdraw", "")
    assert request.state == RequestState.AWAITING_APPROVAL


def test_nobody_decides_what_was_called_off(world: World, request_: PromotionRequest) -> None:
    cancel_request(world.people["alice"].actor, request_)
    assert refused(world, "bob", request_) == "conflict"


def test_nobody_decides_what_has_expired(world: World, request_: PromotionRequest) -> None:
    PromotionRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refused(world, "bob", request_) == "expired"
    assert advance() == 1
    request_.refresh_from_db()
    assert request_.state == RequestState.EXPIRED


def test_a_strange_verdict_is_refused(world: World, request_: PromotionRequest) -> None:
    assert refused(world, "bob", request_, "maybe") == "bad_verdict"


def test_decisions_stay(world: World, request_: PromotionRequest) -> None:
    say("bob", world, request_)
    decision = Decision.objects.get()
    decision.comment = "never said that"
    with pytest.raises(AppendOnlyError):
        decision.save()
