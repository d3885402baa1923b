"""The approval page over HTTP: one screen, plain forms, and a clear word when it is no."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from portal.approvals.models import Decision
from portal.users.accounts import grant_role
from portal.users.models import Role
from promotions.workflow.models import PromotionRequest, RequestState
from promotions.workflow.requests import retry_request
from promotions.workflow.review import review_of
from tests.promotions.workflow.world import SETUP, World, begin, end_copy, put_image, say

MOST_QUERIES = 25


@pytest.fixture
def request_(world: World) -> PromotionRequest:
    return world.ask(put_image(world.ci, tag="1.4.2-rc3"), source_tag="1.4.2-rc3", changelog="Fixes rounding.")


def client_of(world: World, name: str) -> Client:
    client = Client(enforce_csrf_checks=False)
    client.force_login(world.people[name])
    return client


def address(request: PromotionRequest) -> str:
    return reverse("admin:promotions_promotionrequest_review", args=[request.pk])


def form(request: PromotionRequest, decision: str = "approve", comment: str = "") -> dict[str, str]:
    """What the page has in its form, and what the person typed."""
    request.refresh_from_db()
    seen = {"version": str(request.version), "evidence_digest": request.evidence_digest}
    return {**seen, "decision": decision, "comment": comment}


def test_bob_sees_what_he_decides_about_and_approves(world: World, request_: PromotionRequest) -> None:
    client = client_of(world, "bob")
    page = client.get(address(request_)).content.decode()
    for shown in ("payments/api 1.4.2", str(request_.items.get().digest), "You can decide as release managers",
                  "Fixes rounding.", "robot.payments-ci", "first promotion", "1.4.2-rc3"):  # fmt: skip
        assert shown in page
    assert f'name="evidence_digest" value="{request_.evidence_digest}"' in page
    answer = client.post(address(request_), form(request_, comment="Looks right."))
    assert answer.status_code == 302
    request_.refresh_from_db()
    assert request_.state == RequestState.READY
    assert [str(message) for message in get_messages(answer.wsgi_request)] == ["You have approved."]
    assert Decision.objects.get().comment == "Looks right."


def test_alice_is_told_why_she_cannot(world: World, request_: PromotionRequest) -> None:
    grant_role(SETUP, world.people["alice"], Role.RELEASE_MANAGER)
    client = client_of(world, "alice")
    page = client.get(address(request_)).content.decode()
    assert "robot.payments-ci asked for this promotion in your name" in page
    assert 'value="approve"' not in page
    answer = client.post(address(request_), form(request_))
    assert answer.status_code == 403
    assert not Decision.objects.exists()


def test_a_superuser_is_told_that_this_is_no_approver(world: World, request_: PromotionRequest) -> None:
    page = client_of(world, "dave").get(address(request_)).content.decode()
    assert "Being a superuser does not make an approver" in page
    assert 'value="approve"' not in page
    assert client_of(world, "dave").post(address(request_), form(request_)).status_code == 403


def test_a_stale_page_is_refused_and_nothing_typed_is_lost(world: World, request_: PromotionRequest) -> None:
    old = form(request_, comment="I had a long think about this <b>.")
    retry_request(world.robot.actor, request_)
    request_.refresh_from_db()
    answer = client_of(world, "bob").post(address(request_), old)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Something changed since you looked" in page
    assert "I had a long think about this &lt;b&gt;." in page
    assert f'name="version" value="{request_.version}"' in page


def test_rejecting_needs_a_word(world: World, request_: PromotionRequest) -> None:
    client = client_of(world, "bob")
    assert client.post(address(request_), form(request_, "reject")).status_code == 400
    assert client.post(address(request_), form(request_, "reject", "Not today.")).status_code == 302
    request_.refresh_from_db()
    assert request_.state == RequestState.REJECTED


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30, "\uff11"])
def test_a_form_without_a_proper_version_is_refused(world: World, request_: PromotionRequest, version: str) -> None:
    answer = client_of(world, "bob").post(address(request_), {**form(request_), "version": version})
    assert answer.status_code == 400


def test_an_unknown_decision_is_refused(world: World, request_: PromotionRequest) -> None:
    assert client_of(world, "bob").post(address(request_), form(request_, "destroy")).status_code == 400


def test_without_the_token_of_the_form_nothing_happens(world: World, request_: PromotionRequest) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.people["bob"])
    assert client.post(address(request_), form(request_)).status_code == 403
    assert not Decision.objects.exists()


def test_outsiders_do_not_learn_that_it_exists(world: World, request_: PromotionRequest) -> None:
    assert client_of(world, "eve").get(address(request_)).status_code == 404
    assert client_of(world, "eve").post(address(request_), form(request_)).status_code == 404
    assert Client().get(address(request_)).status_code == 302


def test_who_is_named_in_a_rule_needs_no_role(world: World) -> None:
    world.rule.people.add(world.people["eve"])
    request = world.ask(put_image(world.ci))
    client = client_of(world, "eve")
    answer = client.get(address(request))
    assert answer.status_code == 200
    assert "Skip to the content" in answer.content.decode()
    assert client.post(address(request), form(request)).status_code == 302
    request.refresh_from_db()
    assert request.state == RequestState.READY


def test_an_auditor_sees_it_and_can_do_nothing(world: World, request_: PromotionRequest) -> None:
    grant_role(SETUP, world.people["eve"], Role.AUDITOR)
    client = client_of(world, "eve")
    page = client.get(address(request_)).content.decode()
    assert "No rule names you" in page
    assert '<button class="review-button' not in page
    for decision in ("approve", "cancel", "retry"):
        assert client.post(address(request_), form(request_, decision)).status_code == 403


def test_unmet_conditions_name_who_can_clear_them(world: World) -> None:
    request = world.ask(put_image(world.ci, platforms=("linux/amd64",)))
    page = client_of(world, "bob").get(address(request)).content.decode()
    assert "Missing: linux/arm64" in page
    assert "Who can clear it: alice" in page
    assert "1 more approval is needed" in page


def test_markup_from_outside_stays_text(world: World) -> None:
    evil = "<script>alert(1)</script>"
    labels = {"org.opencontainers.image.version": "1.4.2", "org.opencontainers.image.source": evil}
    request = world.ask(put_image(world.ci, labels=labels), changelog=evil, ci={evil: "javascript:alert(1)"})
    page = client_of(world, "bob").get(address(request)).content.decode()
    assert evil not in page
    assert 'href="javascript:' not in page


def test_the_page_after_it_arrived(world: World, request_: PromotionRequest) -> None:
    say("bob", world, request_)
    end_copy(begin(request_))
    page = client_of(world, "bob").get(address(request_)).content.decode()
    assert "promotion.promoted" in page
    assert "Read back" in page


def test_the_list_has_an_inbox(world: World, request_: PromotionRequest) -> None:
    address = reverse("admin:promotions_promotionrequest_changelist")
    for name, waits in (("bob", True), ("dave", False)):
        page = client_of(world, name).get(f"{address}?inbox=waiting").content.decode()
        assert ("payments/api:1.4.2" in page) is waits
    say("bob", world, request_)
    assert "payments/api:1.4.2" not in client_of(world, "carol").get(f"{address}?inbox=waiting").content.decode()


def test_the_path_shows_its_gates_and_rules(world: World) -> None:
    page = client_of(world, "dave").get(reverse("admin:promotions_promotionpath_change", args=[world.path.pk]))
    assert "1 of release manager" in page.content.decode()
    assert "Required labels" in page.content.decode()


def test_a_path_out_of_a_sandbox_is_refused_by_the_form(world: World) -> None:
    gates = {"gates-TOTAL_FORMS": "0", "gates-INITIAL_FORMS": "0"}
    fields = {"name": "smuggle", "source": world.sandbox.pk, "target": world.prod.pk, "repository_glob": "**"}
    more = {"tag_policy": "immutable", "request_ttl_seconds": "3600", "is_enabled": "on", **gates}
    answer = client_of(world, "dave").post(reverse("admin:promotions_promotionpath_add"), {**fields, **more})
    assert answer.status_code == 200
    assert "Nothing ever leaves a sandbox" in answer.content.decode()


def test_the_page_asks_the_database_a_bounded_number_of_times(
    world: World, request_: PromotionRequest, django_assert_max_num_queries: object
) -> None:
    client = client_of(world, "bob")
    client.get(address(request_))
    with django_assert_max_num_queries(MOST_QUERIES):  # type: ignore[operator]
        client.get(address(request_))


def test_the_review_says_the_same_to_the_api(world: World, request_: PromotionRequest) -> None:
    review = review_of(request_, world.people["bob"])
    assert (review.given, review.required) == (0, 1)
    assert review.rights.can_approve
    assert [line.name for line in review.gates] == ["tag_pattern", "required_metadata", "platforms"]
    assert review.conditions[0].who == "bob, carol"
    assert review.tags[0].is_new
    assert review.is_pipeline_only
