"""Secrets: what they look like, what is kept of them, and who is recognised by one."""

import hashlib
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.users.models import Membership, User
from registries.access.credential.credentials import (
    authenticate_secret,
    issue_personal_token,
    issue_robot_secret,
    revoke_secret,
)
from registries.access.models import PersonalToken, RobotAccount, Secret
from tests.registries.access.cast import ADMIN, make_person, make_robot, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]
NOW = timezone.now()


@pytest.fixture
def alice() -> User:
    return make_person("alice")


@pytest.fixture
def robot() -> RobotAccount:
    return make_robot("payments-ci", make_team("payments"))


def test_a_persons_token_is_recognised_with_the_teams_of_this_moment(alice: User) -> None:
    team = make_team("payments", maintainers=(alice,))
    _, text = issue_personal_token(alice.actor, alice, "laptop", None)
    found = authenticate_secret("alice", text, NOW)
    assert found is not None
    assert (found.kind, found.name) == ("user", "alice")
    assert (found.team_ids, found.maintains) == (frozenset({team.pk}), frozenset({team.pk}))
    Membership.objects.all().delete()
    later = authenticate_secret("alice", text, NOW)
    assert later is not None
    assert not later.team_ids


def test_the_api_has_no_user_name_to_compare(alice: User) -> None:
    _, text = issue_personal_token(alice.actor, alice, "laptop", None)
    assert authenticate_secret(None, text, NOW) is not None
    assert authenticate_secret("", text, NOW) is None


@pytest.mark.parametrize("name", ["Alice", "alice ", "bob", "robot.alice", "1", "alice\x00"])
def test_a_name_is_the_owners_to_the_byte(alice: User, name: str) -> None:
    make_person("bob")
    _, text = issue_personal_token(alice.actor, alice, "laptop", None)
    assert authenticate_secret(name, text, NOW) is None


def test_several_secrets_of_a_robot_live_side_by_side(robot: RobotAccount) -> None:
    (first, old), (_, new) = (issue_robot_secret(ADMIN, robot, name, None) for name in ("old", "new"))
    assert all(authenticate_secret("robot.payments-ci", text, NOW) for text in (old, new))
    revoke_secret(ADMIN, first)
    assert authenticate_secret("robot.payments-ci", old, NOW) is None
    assert authenticate_secret("robot.payments-ci", new, NOW) is not None


def test_only_a_hash_is_kept_and_every_secret_differs(alice: User, robot: RobotAccount) -> None:
    token, text = issue_personal_token(alice.actor, alice, "laptop", None)
    secret, other = issue_robot_secret(ADMIN, robot, "runner", None)
    assert text.startswith(f"ptp_{token.handle}_")
    assert other.startswith(f"ptr_{secret.handle}_")
    assert len(text.split("_", 2)[2]) == 43
    assert token.secret_hash == hashlib.sha256(text.encode()).hexdigest()
    assert len({issue_robot_secret(ADMIN, robot, "x", None)[1] for _ in range(20)}) == 20
    assert not any(text in str(event.detail) for event in AuditEvent.objects.all())


def test_a_secret_does_not_work_under_another_prefix(alice: User, robot: RobotAccount) -> None:
    _, text = issue_personal_token(alice.actor, alice, "laptop", None)
    assert authenticate_secret(None, "ptr" + text[3:], NOW) is None


def test_expiry_is_a_moment(alice: User) -> None:
    _, text = issue_personal_token(alice.actor, alice, "laptop", NOW + timedelta(seconds=1))
    assert authenticate_secret("alice", text, NOW) is not None
    assert authenticate_secret("alice", text, NOW + timedelta(seconds=1)) is None


def test_every_kind_of_no_costs_the_same_queries(alice: User) -> None:
    _, text = issue_personal_token(alice.actor, alice, "laptop", None)
    tries = [("nobody", "password"), ("alice", text[:-1] + "!"), ("alice", text[:-1]), ("alice", ""), ("bob", text)]
    for name, secret in tries:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert authenticate_secret(name, secret, NOW) is None
        assert len(queries) == 1


@pytest.mark.parametrize(
    "text", ["", "x", "ptp__", "ptp_\u00e4", "ptp_" + "0" * 16 + "_" + "\udcff" * 43, "a" * 100_000, "\x00"]
)
def test_garbage_is_nobody(text: str) -> None:
    assert authenticate_secret("alice", text, NOW) is None


def test_who_did_it_is_on_record(alice: User, robot: RobotAccount) -> None:
    token, _ = issue_personal_token(alice.actor, alice, "laptop", None)
    secret, _ = issue_robot_secret(ADMIN, robot, "runner", None)
    revoke_secret(alice.actor, token)
    revoke_secret(alice.actor, token)
    revoke_secret(alice.actor, secret)
    events = list(AuditEvent.objects.order_by("id").values_list("verb", "actor_name"))
    assert events == [
        ("personaltoken.issued", "alice"),
        ("secret.issued", "portal"),
        ("personaltoken.revoked", "alice"),
        ("secret.revoked", "alice"),
    ]
    assert not PersonalToken.objects.filter(revoked_at=None).exists()
    assert not Secret.objects.filter(revoked_at=None).exists()
