"""Legal holds are security's; explanations are the policy's own."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from portal.audit.models import AuditEvent
from registries.catalog.models import DigestGuard, Hold
from registries.oci.digest import Digest
from tests.portal.api.office import Office

DIGEST = str(Digest.of(b"evidence"))


def test_security_places_a_hold_and_takes_it_off(office: Office) -> None:
    placed = office["sam"].post("/holds", {"digest": DIGEST, "reason": "Case 17"})
    assert (placed.status, placed.body["kind"]) == (201, "legal")
    assert [row["id"] for row in office["ada"].get("/holds", digest=DIGEST).body["results"]] == [placed.body["id"]]
    assert office["sam"].delete(f"/holds/{placed.body['id']}").status == 204
    assert not Hold.objects.exists()
    assert set(AuditEvent.objects.values_list("verb", flat=True)) >= {"hold.placed", "hold.released"}


@pytest.mark.parametrize("name", ["alice", "bob", "dave", "ada", "robot.payments-ci"])
def test_nobody_else_does(office: Office, name: str) -> None:
    placed = office["sam"].post("/holds", {"digest": DIGEST, "reason": "Case 17"}).body
    answers = [
        office[name].post("/holds", {"digest": DIGEST, "reason": "x"}),
        office[name].delete(f"/holds/{placed['id']}"),
    ]
    assert [answer.status for answer in answers] == [403, 403]
    assert {answer.code for answer in answers} <= {"role_required", "people_only"}
    assert Hold.objects.get().reason == "Case 17"


def test_lists_are_for_those_with_a_role(office: Office) -> None:
    assert office["alice"].get("/holds").code == "role_required"
    assert office["robot.payments-ci"].get("/holds").code == "people_only"


def test_a_hold_of_a_promotion_is_not_taken_off_by_hand(office: Office) -> None:
    office["robot.payments-ci"].post("/promotions", office.body(office.build()))
    answer = office["sam"].delete(f"/holds/{Hold.objects.get().pk}")
    assert (answer.status, answer.code) == (409, "not_a_legal_hold")
    assert Hold.objects.exists()


def test_what_is_being_deleted_cannot_be_held(office: Office) -> None:
    DigestGuard.objects.create(digest=DIGEST, deletion_claimed_at=timezone.now(), deletion_label="x", deletion_key="1")
    answer = office["sam"].post("/holds", {"digest": DIGEST, "reason": "Case 17"})
    assert (answer.status, answer.code) == (409, "being_deleted")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"digest": "x", "reason": "y"},
        {"digest": DIGEST},
        {"digest": DIGEST, "reason": ""},
        {"digest": DIGEST, "reason": "x" * 256},
        {"digest": DIGEST, "reason": "y", "expires_at": "tomorrow"},
        {"digest": DIGEST, "reason": "y", "expires_at": (timezone.now() - timedelta(days=1)).isoformat()},
        {"digest": [DIGEST], "reason": {}},
    ],
)
def test_bad_holds(office: Office, body: dict[str, Any]) -> None:
    answer = office["sam"].post("/holds", body)
    assert (answer.status, answer.code) == (400, "invalid")


def test_an_unknown_hold(office: Office) -> None:
    assert office["sam"].delete("/holds/999999").status == 404
    assert office["sam"].delete(f"/holds/{10**30}").status == 404


def test_why_may_ci_not_push_to_prod(office: Office) -> None:
    body = (
        office["robot.payments-ci"]
        .get("/access/explain", action="push", registry="prod", repository="payments/api")
        .body
    )
    assert (body["who"], body["is_allowed"], body["code"]) == ("robot.payments-ci", False, "pipeline_only")
    assert "promotion pipeline" in body["reason"]
    assert body["fix"]


def test_why_others_may_is_for_those_who_look_after_access(office: Office) -> None:
    asked = {"who": "robot.payments-ci", "action": "pull", "registry": "ci", "repository": "payments/api"}
    assert office["ada"].get("/access/explain", **asked).body["is_allowed"]
    assert office["alice"].get("/access/explain", **asked).body["is_allowed"]  # a robot of her team
    assert office["mallory"].get("/access/explain", **asked).code == "role_required"
    assert office["alice"].get("/access/explain", **{**asked, "who": "nobody"}).code == "role_required"
    assert office["robot.shop-web"].get("/access/explain", **asked).code == "people_only"
    assert office["ada"].get("/access/explain", **{**asked, "who": "nobody"}).code == "unknown_principal"
    assert office["ada"].get("/access/explain", **{**asked, "who": "system:pipeline"}).body["who"] == "system:pipeline"


def test_what_lost_what_would_change_and_whom_to_ask(office: Office) -> None:
    asked = {"who": "alice", "action": "pull", "registry": "prod", "repository": "payments/api:1.4"}
    body = office["ada"].get("/access/explain", **asked, address="10.1.2.3", at="2031-05-01T00:00:00Z").body
    assert (body["is_allowed"], body["repository"], body["address"]) == (False, "payments/api", "10.1.2.3")
    assert body["at"].startswith("2031-05-01")
    assert {change["kind"] for change in body["changes"]} == {"rule"}
    assert any(row["who"].startswith("platform admins") for row in body["ask"])
    assert [note.partition(" ")[0] for note in body["notes"]] == [":1.4", "Asked"]


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "own"},
        {"registry": ""},
        {"repository": "x" * 300},
        {"action": ""},
        {"repository": "UPPER/case"},
        {"address": "somewhere"},
        {"credential": "0123456789abcdef"},
        {"at": "tomorrow"},
    ],
)
def test_bad_questions_about_access(office: Office, changes: dict[str, str]) -> None:
    asked = {"action": "pull", "registry": "ci", "repository": "payments/api", **changes}
    assert office["alice"].get("/access/explain", **asked).code == "invalid"


def test_an_unknown_registry(office: Office) -> None:
    assert office["alice"].get("/access/explain", action="pull", registry="x", repository="a").status == 404
