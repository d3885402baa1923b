"""Who is let in, and what the others are told."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from registries.access.credential.credentials import Narrowing, issue_personal_token, issue_robot_secret, revoke_secret
from registries.access.models import PersonalToken, RobotAccount
from tests.portal.api.office import Door, Office
from tests.promotions.workflow.world import SETUP


def test_nobody_is_told_how_to_come_in(office: Office) -> None:
    answer = office.stranger.get("/whoami")
    assert (answer.status, answer.code) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="portreeve"'


@pytest.mark.parametrize(
    "secret",
    ["nonsense", "ptp_0123456789abcdef_" + "a" * 43, "ptr_" + "x" * 500, "pt\u00e9", " ", "a b c", "ptp__"],
)
def test_a_secret_that_is_none_is_refused(office: Office, secret: str) -> None:
    answer = Door(secret).get("/whoami")
    assert (answer.status, answer.code) == (401, "bad_secret")


def test_a_person_by_personal_token(office: Office) -> None:
    answer = office["bob"].get("/whoami")
    assert answer.status == 200
    assert (answer.body["kind"], answer.body["name"]) == ("user", "bob")
    assert (answer.body["roles"], answer.body["credential"]) == (["release_manager"], "tests")


def test_a_robot_by_secret(office: Office) -> None:
    body = office["robot.payments-ci"].get("/whoami").body
    assert (body["kind"], body["name"], body["teams"]) == ("robot", "robot.payments-ci", ["payments"])
    assert body["robot_kind"] == "ci"


def test_a_person_by_the_browsers_session(office: Office) -> None:
    client = Client()
    client.force_login(office.world.people["alice"], "allauth.account.auth_backends.AuthenticationBackend")
    body = client.get("/api/v1/whoami").json()
    assert (body["name"], body["credential"]) == ("alice", "session")


def test_a_session_needs_the_csrf_token_to_write(office: Office) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(office.world.people["alice"], "allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post("/api/v1/promotions", {}, content_type="application/json")
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


def test_a_bad_secret_is_not_made_good_by_a_session(office: Office) -> None:
    client = Client(headers={"Authorization": "Bearer ptp_bad"})
    client.force_login(office.world.people["alice"], "allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/api/v1/whoami").status_code == 401


def test_expired_and_revoked_secrets_are_refused(office: Office) -> None:
    alice = office.world.people["alice"]
    _, expired = issue_personal_token(SETUP, alice, "old", timezone.now() - timedelta(seconds=1))
    stored, revoked = issue_personal_token(SETUP, alice, "lost", None)
    revoke_secret(SETUP, stored)
    assert [Door(secret).get("/whoami").status for secret in (expired, revoked)] == [401, 401]


def test_closed_accounts_are_refused(office: Office) -> None:
    office.world.people["alice"].is_active = False
    office.world.people["alice"].save()
    RobotAccount.objects.filter(name="payments-ci").update(is_active=False)
    assert office["alice"].get("/whoami").status == 401
    assert office["robot.payments-ci"].get("/whoami").status == 401


def test_a_robot_whose_time_is_over_is_refused(office: Office) -> None:
    robot = RobotAccount.objects.create(
        name="short", team=office.world.team, expires_at=timezone.now() - timedelta(minutes=1)
    )
    _, secret = issue_robot_secret(SETUP, robot, "", None)
    assert Door(secret).get("/whoami").status == 401


def test_the_secret_is_in_no_answer(office: Office) -> None:
    secret = office["alice"].secret
    assert secret not in str(office["alice"].get("/whoami").body)
    assert PersonalToken.objects.filter(secret_hash=secret).count() == 0


def test_a_credential_is_good_from_its_networks_alone(office: Office) -> None:
    alice = office.world.people["alice"]
    far = Narrowing(networks="192.0.2.0/24")
    for text in (
        issue_personal_token(alice.actor, alice, "office", None, far)[1],
        issue_robot_secret(SETUP, RobotAccount.objects.get(name="payments-ci"), "runner", None, far)[1],
    ):
        answer = Door(text).get("/whoami")
        assert (answer.status, answer.code) == (403, "wrong_network")
        assert "good from 192.0.2.0/24 alone, not from 127.0.0.1" in answer.body["detail"]
    near = Narrowing(networks="192.0.2.0/24, 127.0.0.0/8")
    assert Door(issue_personal_token(alice.actor, alice, "both", None, near)[1]).get("/whoami").status == 200


@pytest.mark.parametrize("narrowing", [Narrowing(actions="pull"), Narrowing("payments/**"), Narrowing(registries="ci")])
def test_a_token_made_for_less_only_reads(office: Office, narrowing: Narrowing) -> None:
    """Somebody who gives a token to pull images to a machine does not mean that the machine may approve in their name."""
    bob = office.world.people["bob"]
    door = Door(issue_personal_token(bob.actor, bob, "laptop", None, narrowing)[1])
    assert door.get("/whoami").status == 200
    answer = door.post("/promotions", office.body(office.build()))
    assert (answer.status, answer.code) == (403, "narrow_credential")
