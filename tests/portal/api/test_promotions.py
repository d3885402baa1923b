"""Promotions over HTTP: CI asks, people decide, everybody else is told why not."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress

from portal.approvals.models import Decision
from promotions.workflow.advance import advance
from promotions.workflow.models import PromotionRequest, RequestState
from registries.oci.digest import Digest
from tests.portal.api.office import Answer, Office
from tests.promotions.workflow.world import begin, end_copy, put_image

CI = "robot.payments-ci"


def asked(office: Office, **changes: Any) -> Answer:
    answer = office[CI].post("/promotions", office.body(office.build(), **changes))
    assert answer.status == 202, answer.body
    return answer


def decision(body: dict[str, Any], verdict: str = "approve", comment: str = "seen") -> dict[str, Any]:
    """Bound to what was read."""
    return {
        "decision": verdict,
        "comment": comment,
        "version": body["version"],
        "evidence_digest": body["evidence_digest"],
    }


def test_ci_asks_in_the_name_of_a_person(office: Office) -> None:
    answer = asked(office, changelog="Fixes rounding.")
    body = answer.body
    assert answer.headers["Location"] == f"/api/v1/promotions/{body['id']}"
    assert answer.headers["Retry-After"] == "10"
    assert (body["state"], body["on_behalf_of"], body["requester"]) == ("awaiting_approval", "alice", CI)
    assert body["source"]["registry"] == "ci"
    assert body["target"] == {
        "registry": "prod",
        "repository": "payments/api",
        "digest": body["digest"],
        "tags": ["1.4.2"],
    }
    assert {gate["name"]: gate["status"] for gate in body["gates"]} == {
        "tag_pattern": "pass",
        "required_metadata": "pass",
        "platforms": "pass",
    }
    assert body["approvals"]["required"] == 1
    assert body["approvals"]["rules"][0]["can_approve"] == ["bob", "carol"]
    assert body["ci"]["commit"] == "9f2"
    assert body["url"].endswith(f"/promotions/{body['id']}/")
    row = PromotionRequest.objects.get()
    assert (row.on_behalf_source, row.robot) == ("mail", office.world.robot)


def test_the_same_ask_again_is_the_same_promotion(office: Office) -> None:
    """A naive retry of curl asks for nothing twice."""
    first = asked(office)
    again = office[CI].post("/promotions", office.body(Digest.parse(first.body["digest"])))
    assert (again.status, again.body["id"]) == (200, first.body["id"])
    assert PromotionRequest.objects.count() == 1


@pytest.mark.parametrize("claim", ["nobody", "nobody@example.com", "", "Alice Liddell", "*", "alice@example.com\nbob"])
def test_nobody_behind_the_job_is_nobody(office: Office, claim: str) -> None:
    answer = office[CI].post("/promotions", office.body(office.build(), on_behalf_of=claim))
    assert (answer.status, answer.code) == (422, "unknown_actor")
    assert not PromotionRequest.objects.exists()


def test_a_mail_address_nobody_has_proved_is_nobody(office: Office) -> None:
    EmailAddress.objects.filter(email="alice@example.com").update(verified=False)
    answer = office[CI].post("/promotions", office.body(office.build()))
    assert answer.code == "unknown_actor"


def test_people_ask_for_themselves(office: Office) -> None:
    body = office.body(office.build())
    del body["on_behalf_of"]
    answer = office["alice"].post("/promotions", body)
    assert (answer.status, answer.body["on_behalf_of"]) == (202, "alice")
    assert PromotionRequest.objects.get().on_behalf_source == "token"


def test_people_ask_for_nobody_else(office: Office) -> None:
    answer = office["alice"].post("/promotions", office.body(office.build(), on_behalf_of="bob"))
    assert (answer.status, answer.code) == (422, "not_yourself")


def test_the_robot_of_another_team_may_not_ask(office: Office) -> None:
    answer = office["robot.shop-ci"].post("/promotions", office.body(office.build(), on_behalf_of="mallory"))
    assert (answer.status, answer.code) == (403, "not_allowed")
    assert not PromotionRequest.objects.exists()


def test_a_consumer_may_not_ask(office: Office) -> None:
    answer = office["robot.shop-web"].post("/promotions", office.body(office.build()))
    assert (answer.status, answer.code) == (403, "not_allowed")


@pytest.mark.parametrize(
    "raw", ["", "{", "[]", '"text"', "null", "17", '{"path": NaN}', '{"path": "\ud800"}', "{'path': 1}", "\x00"]
)
def test_bad_json_is_refused_with_a_sentence(office: Office, raw: str) -> None:
    answer = office[CI].post("/promotions", raw.encode("utf-8", "surrogatepass"))
    assert answer.status == 400
    assert answer.code in {"parse_error", "invalid"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"path": None}, "path"),
        ({"path": ["a"]}, "path"),
        ({"path": "a\u0000b"}, "path"),
        ({"source": "payments/api"}, "source"),
        ({"source": {"repository": "payments/api"}}, "source.digest"),
        ({"source": {"repository": {}, "digest": 1}}, "source.repository"),
        ({"target": {"tags": "1.4.2"}}, "target.tags"),
        ({"target": {"tags": []}}, "target.tags"),
        ({"target": {"tags": ["x"] * 21}}, "target.tags"),
        ({"target": {}}, "target.tags"),
        ({"ci": "pipeline"}, "ci"),
        ({"ci": {str(number): "x" for number in range(31)}}, "ci"),
        ({"changelog": "x" * 20_001}, "changelog"),
        ({"on_behalf_of": 7.5e300}, ""),
    ],
)
def test_wrong_types_are_named(office: Office, changes: dict[str, Any], field: str) -> None:
    answer = office[CI].post("/promotions", office.body(office.build(), **changes))
    if not field:
        assert answer.code == "unknown_actor"
        return
    assert (answer.status, answer.code) == (400, "invalid")
    assert any(found["field"].startswith(field) for found in answer.body["errors"]), answer.body["errors"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"path": "nowhere"}, 404, "unknown_path"),
        ({"source": {"repository": "payments/api", "digest": "latest"}}, 400, "bad_digest"),
        ({"source": {"repository": "payments/api", "digest": str(Digest.of(b"x"))}}, 404, "source_missing"),
        ({"source": {"repository": "Payments", "digest": str(Digest.of(b"x"))}}, 400, "bad_repository"),
        ({"target": {"tags": ["no tag"]}}, 400, "bad_tag"),
    ],
)
def test_what_cannot_be_promoted(office: Office, changes: dict[str, Any], status: int, code: str) -> None:
    answer = office[CI].post("/promotions", office.body(office.build(), **changes))
    assert (answer.status, answer.code) == (status, code)


def test_a_tag_that_is_not_on_the_digest_any_more(office: Office) -> None:
    digest = office.build(tag="rc")
    office.build(version="1.4.3", tag="rc")
    source = {"repository": "payments/api", "digest": str(digest), "tag": "rc"}
    answer = office[CI].post("/promotions", office.body(digest, source=source))
    assert (answer.status, answer.code) == (409, "source_tag_mismatch")


def test_the_person_behind_it_is_refused_and_another_approves(office: Office) -> None:
    """The builder may be a release manager; never for their own build."""
    body = asked(office, on_behalf_of="bob").body
    seen = office["bob"].get(f"/promotions/{body['id']}").body
    assert not seen["rights"]["can_approve"]
    refused = office["bob"].post(f"/promotions/{body['id']}/decisions", decision(seen))
    assert (refused.status, refused.code) == (403, "self_approval")
    approved = office["carol"].post(f"/promotions/{body['id']}/decisions", decision(seen))
    assert (approved.status, approved.body["state"]) == (201, "ready")
    assert approved.body["decisions"][0]["user"] == "carol"


def test_a_robot_decides_nothing(office: Office) -> None:
    body = asked(office).body
    answer = office[CI].post(f"/promotions/{body['id']}/decisions", decision(body))
    assert (answer.status, answer.code) == (403, "people_only")
    assert not Decision.objects.exists()


def test_a_superuser_is_no_approver(office: Office) -> None:
    body = asked(office).body
    answer = office["dave"].post(f"/promotions/{body['id']}/decisions", decision(body))
    assert (answer.status, answer.code) == (403, "not_an_approver")


def test_a_decision_about_something_else_is_stale(office: Office) -> None:
    body = asked(office).body
    for changes in ({"version": body["version"] + 1}, {"evidence_digest": "another"}):
        answer = office["bob"].post(f"/promotions/{body['id']}/decisions", {**decision(body), **changes})
        assert (answer.status, answer.code) == (409, "stale")


@pytest.mark.parametrize(
    "changes",
    [
        {"decision": "maybe"},
        {"version": "x"},
        {"version": -1},
        {"version": 2**70},
        {"evidence_digest": None},
        {"comment": []},
    ],
)
def test_a_decision_of_wrong_types(office: Office, changes: dict[str, Any]) -> None:
    body = asked(office).body
    answer = office["bob"].post(f"/promotions/{body['id']}/decisions", {**decision(body), **changes})
    assert (answer.status, answer.code) == (400, "invalid")


def test_a_rejection_needs_its_reason(office: Office) -> None:
    body = asked(office).body
    path = f"/promotions/{body['id']}/decisions"
    assert office["bob"].post(path, decision(body, "reject", "")).code == "comment_required"
    answer = office["bob"].post(path, decision(body, "reject", "Wrong branch."))
    assert (answer.status, answer.body["state"]) == (201, "rejected")
    assert "Wrong branch." in answer.body["reason"]["text"]


def test_ci_calls_off_and_again_does_no_harm(office: Office) -> None:
    body = asked(office).body
    assert body["rights"]["can_cancel"]
    assert not body["rights"]["can_approve"]
    path = f"/promotions/{body['id']}/cancel"
    assert [office[CI].post(path).status for _ in range(2)] == [200, 200]
    assert PromotionRequest.objects.get().state == RequestState.CANCELLED


def test_while_it_is_copied_calling_off_takes_a_moment(office: Office) -> None:
    body = asked(office).body
    office["bob"].post(f"/promotions/{body['id']}/decisions", decision(body))
    begin(PromotionRequest.objects.get())
    assert office[CI].post(f"/promotions/{body['id']}/cancel").status == 202


def test_what_is_done_is_not_called_off(office: Office) -> None:
    body = asked(office).body
    office["bob"].post(f"/promotions/{body['id']}/decisions", decision(body))
    end_copy(begin(PromotionRequest.objects.get()))
    answer = office[CI].post(f"/promotions/{body['id']}/cancel")
    assert (answer.status, answer.code) == (409, "conflict")


def test_another_teams_robot_neither_sees_nor_stops_it(office: Office) -> None:
    identity = asked(office).body["id"]
    for path in ("", "/gates"):
        assert office["robot.shop-ci"].get(f"/promotions/{identity}{path}").status == 404
    for path in ("cancel", "retry"):
        assert office["robot.shop-ci"].post(f"/promotions/{identity}/{path}").status == 404
    assert office["robot.shop-ci"].get("/promotions").body["results"] == []


def test_those_who_may_pull_it_may_look_and_not_steer(office: Office) -> None:
    identity = asked(office).body["id"]
    assert office["eve"].get(f"/promotions/{identity}").status == 200
    answer = office["eve"].post(f"/promotions/{identity}/cancel")
    assert (answer.status, answer.code) == (403, "not_allowed")


def test_an_auditor_reads_all_and_changes_nothing(office: Office) -> None:
    body = asked(office).body
    assert office["ada"].get(f"/promotions/{body['id']}").status == 200
    assert office["ada"].post(f"/promotions/{body['id']}/cancel").code == "not_allowed"
    assert office["ada"].post(f"/promotions/{body['id']}/retry").code == "not_allowed"
    assert office["ada"].post(f"/promotions/{body['id']}/decisions", decision(body)).code == "not_an_approver"


def test_blocked_says_which_gate_and_can_be_looked_at_again(office: Office) -> None:
    body = office[CI].post("/promotions", office.body(office.build(), target={"tags": ["latest"]})).body
    assert body["state"] == "blocked"
    gates = office[CI].get(f"/promotions/{body['id']}/gates").body
    assert gates[0]["name"] == "tag_pattern"
    assert gates[0]["is_blocking"]
    assert any("latest" in condition["text"] for condition in body["conditions"])
    answer = office[CI].post(f"/promotions/{body['id']}/retry")
    assert (answer.status, answer.body["state"]) == (202, "blocked")


def test_lists_are_filtered(office: Office) -> None:
    first = asked(office).body
    second = (
        office[CI]
        .post(
            "/promotions",
            office.body(office.build("1.5.0"), target={"tags": ["1.5.0"], "repository": "payments/api-v2"}),
        )
        .body
    )
    door = office[CI]

    def ids(**query: str) -> list[str]:
        return [row["id"] for row in door.get("/promotions", **query).body["results"]]

    assert ids() == [second["id"], first["id"]]
    assert ids(digest=first["digest"]) == [first["id"]]
    assert ids(repository="payments/api-v2") == [second["id"]]
    assert ids(state="rejected") == []
    assert ids(path="ci-to-prod", since="2020-01-01T00:00:00Z") == [second["id"], first["id"]]
    assert ids(since="2999-01-01T00:00:00Z") == []
    assert door.get("/promotions", state="odd").code == "invalid"
    assert door.get("/promotions", since="yesterday").code == "invalid"


def test_an_etag_spares_the_body_until_something_moves(office: Office) -> None:
    body = asked(office).body
    path = f"/promotions/{body['id']}"
    etag = office[CI].get(path).headers["ETag"]
    again = office[CI].get_unless(path, etag)
    assert (again.status, again.body) == (304, "")
    office["bob"].post(f"{path}/decisions", decision(body))
    moved = office[CI].get_unless(path, etag)
    assert (moved.status, moved.body["state"]) == (200, "ready")


def test_waiting_ends_at_once_where_it_is_reached(office: Office) -> None:
    body = asked(office).body
    office["bob"].post(f"/promotions/{body['id']}/decisions", decision(body))
    answer = office[CI].get(f"/promotions/{body['id']}", wait="60", until="approved")
    assert (answer.status, answer.body["state"]) == (200, "ready")
    assert "Retry-After" not in answer.headers


def test_waiting_is_over_when_the_time_is(office: Office) -> None:
    answer = office[CI].get(f"/promotions/{asked(office).body['id']}", wait="1", until="approved")
    assert (answer.status, answer.body["state"]) == (200, "awaiting_approval")
    assert answer.headers["Retry-After"] == "10"


@pytest.mark.parametrize("query", [{"wait": "x"}, {"wait": "-1"}, {"wait": "9" * 400}, {"until": "never"}])
def test_waiting_for_nonsense(office: Office, query: dict[str, str]) -> None:
    answer = office[CI].get(f"/promotions/{asked(office).body['id']}", **query)
    assert (answer.status, answer.code) == (400, "invalid")


def test_completed_comes_after_the_regions(office: Office) -> None:
    body = asked(office).body
    office["bob"].post(f"/promotions/{body['id']}/decisions", decision(body))
    end_copy(begin(PromotionRequest.objects.get()))
    put_image(office.world.prod, tag="1.4.2")
    advance()
    answer = office[CI].get(f"/promotions/{body['id']}", wait="60", until="completed")
    assert answer.body["state"] == "completed"


@pytest.mark.parametrize("digest", ["zzz", "sha256:" + "a" * 63, "sha256:" + "A" * 64])
def test_a_list_by_something_that_is_no_digest_is_refused(office: Office, digest: str) -> None:
    answer = office["bob"].get("/promotions", digest=digest)
    assert (answer.status, answer.code) == (400, "invalid")


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "\n"])
def test_a_fact_with_an_unprintable_name_is_refused(office: Office, name: str) -> None:
    """PostgreSQL keeps no NUL and no half character, and a page shows none."""
    answer = office[CI].post("/promotions", office.body(office.build(), ci={name: "x"}))
    assert (answer.status, answer.code) == (400, "invalid")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("[" * 100_000, 400, "parse_error"),
        ('{"a":' * 100_000, 400, "parse_error"),
        ('{"changelog": "' + "x" * 2_000_000 + '"}', 413, "too_large"),
    ],
)
def test_a_body_that_is_too_deep_or_too_large_is_refused(office: Office, body: str, status: int, code: str) -> None:
    answer = office[CI].post("/promotions", body)
    assert (answer.status, answer.code) == (status, code)
