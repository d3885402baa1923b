"""Asking for a promotion on a page, following it, calling it off, and the inbox of those who decide."""

import pytest
from django.test import Client

from portal.web.promotion_page import steps_of
from promotions.workflow.models import PromotionRequest
from tests.portal.web.cast import Company, tagged
from tests.portal.web.conftest import SignIn

FORM = "/promotions/new/?registry=ci-snapshots&repository=payments/api&tag=1.4.0"


def fill(company: Company, **changes: str) -> dict[str, str]:
    return {
        "registry": "ci-snapshots",
        "repository": "payments/api",
        "tag": "1.4.0",
        "digest": str(company.snapshot.manifest.digest),
        "path": str(company.path.pk),
        "target_repository": "payments/api",
        "target_tags": "1.4.0",
        "changelog": "Rounds refunds down.",
        **changes,
    }


def asked(client: Client, company: Company) -> PromotionRequest:
    answer = client.post("/promotions/new/", fill(company))
    request = PromotionRequest.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/promotions/{request.public_id}/"
    return request


def test_a_tags_page_leads_to_the_form_that_fixes_the_digest(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.alice)
    page = client.get("/r/ci-snapshots/payments/api:1.4.0/").content.decode()
    assert "/promotions/new/?registry=ci-snapshots&amp;repository=payments%2Fapi&amp;tag=1.4.0" in page
    assert str(company.snapshot.manifest.digest) in client.get(FORM).content.decode()


def test_alice_asks_rita_finds_it_in_her_inbox_and_alice_does_not(company: Company, signed_in: SignIn) -> None:
    request = asked(signed_in(company.alice), company)
    assert (request.on_behalf_of, request.on_behalf_source, request.changelog) == (
        company.alice,
        "session",
        "Rounds refunds down.",
    )
    inbox = signed_in(company.rita).get("/inbox/").content.decode()
    assert "Waiting for your decision" in inbox
    assert f"/promotions/{request.public_id}/" in inbox
    assert 'class="count">1' in inbox
    mine = signed_in(company.alice).get("/inbox/").content.decode()
    assert "Nothing waits for you." in mine
    assert f"/promotions/{request.public_id}/" in mine


def test_a_release_manager_who_asks_is_told_that_somebody_else_decides(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.rita)
    request = asked(client, company)
    page = client.get(f"/promotions/{request.public_id}/").content.decode()
    assert "You asked for this promotion, so somebody else has to decide." in page
    assert 'value="approve"' not in page
    assert 'value="approve"' in signed_in(company.bob).get(f"/promotions/{request.public_id}/").content.decode()


def test_a_decision_is_made_on_the_page_and_leaves_the_inbox(company: Company, signed_in: SignIn) -> None:
    request = asked(signed_in(company.alice), company)
    said = {
        "decision": "reject",
        "comment": "Not before the audit.",
        "version": str(request.version),
        "evidence_digest": request.evidence_digest,
    }
    answer = signed_in(company.rita).post(f"/promotions/{request.public_id}/", said, follow=True)
    assert "You have rejected it." in answer.content.decode()
    assert "Nothing waits for you." in signed_in(company.rita).get("/inbox/").content.decode()
    page = signed_in(company.alice).get(f"/promotions/{request.public_id}/").content.decode()
    assert "Not before the audit." in page
    assert "rejected" in page


def test_a_refusal_keeps_what_was_typed(company: Company, signed_in: SignIn) -> None:
    answer = signed_in(company.alice).post("/promotions/new/", fill(company, target_tags="not/a/tag"))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "is not a tag" in page
    assert "Rounds refunds down." in page
    assert not PromotionRequest.objects.exists()


def test_a_tag_that_has_moved_meanwhile_is_not_promoted_unseen(company: Company, signed_in: SignIn) -> None:
    old = fill(company)
    company.snapshot.delete()
    tagged(company.snapshot.repository, "1.4.0", "another build")
    page = signed_in(company.alice).post("/promotions/new/", old).content.decode()
    assert "by now" in page
    assert not PromotionRequest.objects.exists()


def test_nothing_leaves_the_sandbox_and_the_page_says_so(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.alice)
    page = client.get("/r/sandbox/alice/try:latest/").content.decode()
    assert "Nothing ever leaves a sandbox" in page
    assert "Ask for promotion" not in page
    form = client.get("/promotions/new/?registry=sandbox&repository=alice/try&tag=latest").content.decode()
    assert "Nothing ever leaves a sandbox" in form


def test_what_one_may_not_see_one_cannot_ask_for(company: Company, signed_in: SignIn) -> None:
    address = "/promotions/new/?registry=prod&repository=finance/ledger&tag=7.0.0"
    assert signed_in(company.charlie).get(address).status_code == 404


def test_whoever_asked_may_call_it_off_others_may_not(company: Company, signed_in: SignIn) -> None:
    request = asked(signed_in(company.alice), company)
    address = f"/promotions/{request.public_id}/"
    refused = signed_in(company.charlie).post(address, {"decision": "cancel", "version": "1"})
    assert refused.status_code == 403
    assert 'value="cancel"' not in refused.content.decode()
    request.refresh_from_db()
    assert request.state == "awaiting_approval"
    signed_in(company.alice).post(address, {"decision": "cancel", "version": "1"})
    request.refresh_from_db()
    assert request.state == "cancelled"


@pytest.mark.parametrize(
    ("state", "progress"),
    [
        ("evaluating", "now open open open open"),
        ("blocked", "stopped open open open open"),
        ("ready", "done now open open open"),
        ("executing", "done done now open open"),
        ("failed", "done done stopped open open"),
        ("expired", "done stopped open open open"),
        ("promoted", "done done done now open"),
        ("completed", "done done done done done"),
    ],
)
def test_every_state_has_its_place_on_the_way(state: str, progress: str) -> None:
    assert " ".join(step.progress for step in steps_of(state)) == progress


def test_the_board_filters_by_state(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.alice)
    request = asked(client, company)
    assert request.public_id in client.get("/promotions/?state=open").content.decode()
    assert request.public_id not in client.get("/promotions/?state=completed").content.decode()
    assert client.get("/promotions/?format=json").json()["rows"][0]["for"] == "alice"


def test_the_live_part_of_the_page_comes_alone(company: Company, signed_in: SignIn) -> None:
    client = signed_in(company.alice)
    request = asked(client, company)
    strip = client.get(f"/promotions/{request.public_id}/strip/").content.decode()
    assert "<html" not in strip
    assert "awaiting approval" in strip
    assert "prod-eu" in strip
