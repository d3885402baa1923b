"""A repeated request does its work once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.http.idempotency import Answer, answer_once, hash_of
from portal.http.models import IdempotencyRecord
from portal.http.problem import Problem
from promotions.workflow.models import PromotionRequest
from tests.portal.api.office import Office

CI = "robot.payments-ci"
ASKED = {"method": "POST", "path": "/x", "body": {"a": 1}}


def test_the_answer_comes_again_as_it_was(office: Office) -> None:
    body = office.body(office.build())
    first = office[CI].post("/promotions", body, Idempotency_Key="pipeline-1-deploy")
    office["bob"].post(f"/promotions/{first.body['id']}/cancel")
    again = office[CI].post("/promotions", body, Idempotency_Key="pipeline-1-deploy")
    assert (first.status, again.status) == (202, 202)
    assert again.body == first.body
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert PromotionRequest.objects.count() == 1


def test_the_order_of_members_makes_no_other_request(office: Office) -> None:
    body = office.body(office.build())
    office[CI].post("/promotions", body, Idempotency_Key="k")
    turned = dict(reversed(list(body.items())))
    assert office[CI].post("/promotions", turned, Idempotency_Key="k").headers["Idempotent-Replayed"] == "true"


def test_another_request_by_the_same_key_is_refused(office: Office) -> None:
    body = office.body(office.build())
    office[CI].post("/promotions", body, Idempotency_Key="k")
    answer = office[CI].post("/promotions", {**body, "changelog": "more"}, Idempotency_Key="k")
    assert (answer.status, answer.code) == (422, "idempotency_mismatch")


def test_keys_of_two_callers_never_meet(office: Office) -> None:
    office[CI].post("/promotions", office.body(office.build()), Idempotency_Key="k")
    other = office.body(office.build("2.0.0"), target={"tags": ["2.0.0"]}, on_behalf_of="")
    assert office["alice"].post("/promotions", other, Idempotency_Key="k").status == 202


def test_a_refusal_leaves_the_key_free(office: Office) -> None:
    """Nothing was done, so the mended request may come by the same key."""
    body = office.body(office.build())
    assert office[CI].post("/promotions", {**body, "path": "nowhere"}, Idempotency_Key="k").status == 404
    assert office[CI].post("/promotions", body, Idempotency_Key="k").status == 202


@pytest.mark.parametrize("key", ["", "a b", "\u00fc", "x" * 256, "\x7f"])
def test_odd_keys_are_refused(office: Office, key: str) -> None:
    answer = office[CI].post("/promotions", office.body(office.build()), Idempotency_Key=key)
    assert (answer.status, answer.code) == (400, "bad_idempotency_key")


def test_while_the_first_is_at_work_the_second_is_told_so(db: None) -> None:
    def work() -> Answer:
        with pytest.raises(Problem) as caught:
            answer_once("robot:1", "k", ASKED, lambda: Answer(200, {}))
        assert (caught.value.status, caught.value.code) == (409, "in_flight")
        return Answer(202, {"id": 1})

    assert answer_once("robot:1", "k", ASKED, work) == Answer(202, {"id": 1})
    assert answer_once("robot:1", "k", ASKED, work) == Answer(202, {"id": 1}, is_replay=True)


def test_who_died_at_the_work_is_followed_by_one(db: None) -> None:
    record = IdempotencyRecord.objects.create(caller="robot:1", key="k", request_hash=hash_of(ASKED))
    IdempotencyRecord.objects.filter(pk=record.pk).update(created_at=timezone.now() - timedelta(minutes=3))

    def work() -> Answer:
        with pytest.raises(Problem):
            answer_once("robot:1", "k", ASKED, lambda: Answer(200, {}))
        return Answer(202, {})

    assert answer_once("robot:1", "k", ASKED, work).status == 202
    assert IdempotencyRecord.objects.get().status == 202


def test_work_that_breaks_leaves_the_key_free(db: None) -> None:
    def breaks() -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answer_once("robot:1", "k", ASKED, breaks)
    assert not IdempotencyRecord.objects.exists()


def test_after_a_day_a_key_is_as_good_as_new(db: None) -> None:
    answer_once("robot:1", "k", ASKED, lambda: Answer(202, {"id": 1}))
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert answer_once("robot:1", "k", {"other": True}, lambda: Answer(202, {"id": 2})).body == {"id": 2}
