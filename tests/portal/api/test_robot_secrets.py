"""A CI job exchanges its own secret: a successor that is good for no more, and an old one that ends after a while."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.http.models import IdempotencyRecord
from registries.access.credential.credentials import Narrowing, issue_robot_secret
from registries.access.models import RobotAccount, Secret
from tests.portal.api.office import Answer, Door, Office
from tests.promotions.workflow.world import SETUP

CI = "robot.payments-ci"
PATH = "/robot-secrets"


def robbie(office: Office, days: int | None = 30, **narrow: Any) -> tuple[Door, Secret]:
    """The robot with a secret of its own making."""
    robot = RobotAccount.objects.get(name="payments-ci")
    ends = timezone.now() + timedelta(days=days) if days else None
    stored, text = issue_robot_secret(SETUP, robot, "runner", ends, Narrowing(**narrow))
    return Door(text), stored


def fields(answer: Answer) -> set[str]:
    return {row["field"] for row in answer.body["errors"]}


def test_a_job_exchanges_its_own_secret_and_both_work_for_a_while(office: Office) -> None:
    door, old = robbie(office, pattern="payments/**", actions="pull,push")
    answer = door.post(PATH, {"overlap_hours": 2})
    assert answer.status == 201, answer.body
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.body
    assert (body["username"], body["name"], body["replaces"]) == (CI, "runner", old.handle)
    assert (body["repositories"], body["actions"]) == ("payments/**", ["pull", "push"])
    old.refresh_from_db()
    new = Secret.objects.get(handle=body["handle"])
    assert new.secret_hash not in str(body)
    assert old.expires_at is not None
    assert new.expires_at is not None
    assert timedelta(hours=1) < old.expires_at - timezone.now() <= timedelta(hours=2)
    assert timedelta(days=29) < new.expires_at - timezone.now() <= timedelta(days=30)
    assert [Door(body["secret"]).get("/whoami").status, door.get("/whoami").status] == [200, 200]
    Secret.objects.filter(pk=old.pk).update(expires_at=timezone.now())
    assert [Door(body["secret"]).get("/whoami").status, door.get("/whoami").status] == [200, 401]


def test_both_ends_of_an_exchange_are_on_record_and_the_secret_is_not(office: Office) -> None:
    door, old = robbie(office)
    body = door.post(PATH, {}, Idempotency_Key="pipeline-7").body
    event = AuditEvent.objects.get(verb="secret.replaced")
    assert (event.actor_name, event.detail["handle"], event.detail["by"]) == (CI, old.handle, body["handle"])
    assert not any(body["secret"] in str(row) for row in AuditEvent.objects.values_list("detail", "object_name"))
    assert not any(body["secret"] in str(row) for row in IdempotencyRecord.objects.values_list("body", flat=True))


def test_the_successor_may_be_good_for_less(office: Office) -> None:
    door, _ = robbie(office)
    end = (timezone.now() + timedelta(days=3)).isoformat()
    asked = {
        "name": "night", "repositories": "payments/api", "actions": ["pull"], "networks": ["127.0.0.0/8"], "expires_at": end,
        "registries": ["ci"],
    }  # fmt: skip
    answer = door.post(PATH, asked)
    assert answer.status == 201, answer.body
    new = Secret.objects.get(handle=answer.body["handle"])
    assert (new.name, new.pattern, new.actions, new.networks) == ("night", "payments/api", "pull", "127.0.0.0/8")
    assert new.registries == "ci"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"repositories": "**"}, "repositories"),
        ({"repositories": "payments-b/x"}, "repositories"),
        ({"repositories": "payments**"}, "repositories"),
        ({"actions": ["pull", "push", "delete"]}, "actions"),
        ({"actions": ["delete"]}, "actions"),
        ({"networks": ["0.0.0.0/0"]}, "networks"),
        ({"networks": ["127.0.0.0/16", "10.0.0.1"]}, "networks"),
        ({"networks": ["::/0"]}, "networks"),
        ({"registries": ["ci", "prod"]}, "registries"),
        ({"expires_at": "2099-01-01T00:00:00Z"}, "expires_at"),
    ],
)
def test_a_robot_never_widens_what_it_has(office: Office, asked: dict[str, Any], field: str) -> None:
    door, old = robbie(office, pattern="payments/**", actions="pull,push", networks="127.0.0.0/8", registries="ci")
    before = Secret.objects.count()
    answer = door.post(PATH, asked)
    assert (answer.status, answer.code, fields(answer)) == (403, "wider", {field})
    assert Secret.objects.count() == before
    old.refresh_from_db()
    assert old.warned_days is None
    assert old.expires_at is not None
    assert old.expires_at > timezone.now() + timedelta(days=29)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"repositories": "ci.example:5000/a:1"}, "repositories"),
        ({"repositories": "/a"}, "repositories"),
        ({"actions": ["fly"]}, "actions.0"),
        ({"actions": []}, "actions"),
        ({"networks": ["10.0.0.300"]}, "networks"),
        ({"registries": ["nowhere"]}, "registries"),
        ({"registries": ["ci,prod"]}, "registries"),
        ({"overlap_hours": -1}, "overlap_hours"),
        ({"overlap_hours": 721}, "overlap_hours"),
        ({"overlap_hours": 10**400}, "overlap_hours"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"name": "x" * 81}, "name"),
        ({"name": "a\x00b"}, "name"),
    ],
)
def test_what_makes_no_sense_is_named(office: Office, asked: dict[str, Any], field: str) -> None:
    door, _ = robbie(office)
    answer = door.post(PATH, asked)
    assert (answer.status, answer.code) == (400, "invalid"), answer.body
    assert fields(answer) == {field}


def test_a_chain_of_exchanges_never_lives_longer(office: Office) -> None:
    door, _ = robbie(office, days=10)
    for _ in range(3):
        door = Door(door.post(PATH, {"overlap_hours": 1}).body["secret"])
    last = Secret.objects.latest("pk")
    assert last.expires_at is not None
    assert last.expires_at <= timezone.now() + timedelta(days=10)


def test_one_that_is_replaced_is_not_replaced_again_unless_the_new_one_was_lost(office: Office) -> None:
    door, old = robbie(office)
    lost = door.post(PATH, {}).body["handle"]
    again = door.post(PATH, {})
    assert (again.status, again.code, again.body["handle"]) == (409, "already_replaced", lost)
    assert door.delete(f"{PATH}/{lost}").status == 204
    answer = door.post(PATH, {})
    assert answer.status == 201
    assert answer.body["old_works_until"] == door.get(f"{PATH}/{old.handle}").body["expires_at"]
    new = Secret.objects.get(handle=answer.body["handle"])
    assert new.expires_at is not None
    assert new.expires_at > timezone.now() + timedelta(days=29), "the end that the overlap gave is not the life it had"


def test_a_repeated_request_makes_one_and_shows_it_once(office: Office) -> None:
    door, old = robbie(office)
    first = door.post(PATH, {}, Idempotency_Key="pipeline-7")
    again = door.post(PATH, {}, Idempotency_Key="pipeline-7")
    assert first.status == 201
    assert (again.status, again.code, again.body["handle"]) == (409, "already_issued", first.body["handle"])
    assert first.body["secret"] not in str(again.body)
    assert Secret.objects.filter(replaces=old).count() == 1


def test_an_overlap_of_nothing_ends_the_old_one_at_once(office: Office) -> None:
    door, old = robbie(office)
    body = door.post(PATH, {"overlap_hours": 0}).body
    assert door.get("/whoami").status == 401
    assert Door(body["secret"]).get("/whoami").status == 200
    old.refresh_from_db()
    assert old.revoked_at is not None


def test_a_robot_lists_its_own_by_their_handles(office: Office) -> None:
    door, old = robbie(office)
    body = door.post(PATH, {}).body
    listed = {row["handle"]: row for row in door.get(PATH).body["results"]}
    assert listed[old.handle]["is_current"]
    assert not listed[body["handle"]]["is_current"]
    assert listed[body["handle"]]["replaces"] == old.handle
    assert listed[old.handle]["state"] == "ends soon"
    assert body["secret"] not in str(listed)
    assert not set(listed) & set(Secret.objects.exclude(robot=old.robot).values_list("handle", flat=True))


def test_secrets_of_others_look_as_if_they_were_not_there(office: Office) -> None:
    door, old = robbie(office)
    shop = office["robot.shop-ci"]
    assert shop.get(f"{PATH}/{old.handle}").status == 404
    assert shop.delete(f"{PATH}/{old.handle}").status == 404
    assert door.delete(f"{PATH}/0123456789abcdef").status == 404
    assert door.delete(f"{PATH}/'%20or%201").status == 404
    assert door.get("/whoami").status == 200


def test_people_are_shown_to_their_own_page(office: Office) -> None:
    for answer in (office["alice"].get(PATH), office["alice"].post(PATH, {}), office["alice"].delete(f"{PATH}/x")):
        assert (answer.status, answer.code) == (403, "robots_only")
        assert "My access" in answer.body["detail"]
    assert office.stranger.post(PATH, {}).status == 401


def test_a_credential_of_minutes_makes_none_that_lasts(office: Office) -> None:
    door, keyless = robbie(office)
    _, lasting = robbie(office)
    Secret.objects.filter(pk=keyless.pk).update(is_keyless=True)
    assert (door.post(PATH, {}).status, door.post(PATH, {}).code) == (403, "keyless")
    assert door.delete(f"{PATH}/{lasting.handle}").code == "keyless"
    assert keyless.handle not in str(door.get(PATH).body)


def test_ten_secrets_are_enough_and_exchanging_still_works(office: Office) -> None:
    door, old = robbie(office)
    while Secret.objects.filter(robot=old.robot).count() < 10:
        robbie(office)
    assert door.post(PATH, {}).status == 201
    robbie(office)
    assert Secret.objects.filter(robot=old.robot).count() == 12
    other, _ = robbie(office)
    answer = other.post(PATH, {})
    assert (answer.status, answer.code) == (409, "too_many")


def test_a_robot_without_an_end_may_ask_for_one(office: Office) -> None:
    door, old = robbie(office, days=None)
    assert door.post(PATH, {}).body["expires_at"] is None
    other, _ = robbie(office, days=None)
    assert other.post(PATH, {"expires_at": "2099-01-01T00:00:00Z"}).status == 201
    old.refresh_from_db()
    assert old.expires_at is not None
