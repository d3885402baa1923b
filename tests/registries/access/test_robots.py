"""Maintainers look after the consumers of their teams; robots of kind CI are for platform admins, whichever way one tries."""

from typing import Any

import pytest
from django.test import Client

from portal.audit.models import AuditEvent
from portal.http.problem import Problem
from registries.access.credential.credentials import issue_robot_secret
from registries.access.credential.issuing import MOST_OF_A_ROBOT, Wanted
from registries.access.models import RobotAccount, Secret
from registries.access.robots import describe_robot, issue_secret_of, make_robot, retire_robot, revoke_secret_of
from registries.topology.file import TopologyFileError, apply_topology, read_topology
from tests.registries.access.cast import make_robot as robot_of
from tests.registries.access.town import Town, in_days, make_town

pytestmark = pytest.mark.django_db
OTHERS = ("dora", "bob", "charlie", "sam", "rita", "audrey")


@pytest.fixture
def town() -> Town:
    return make_town()


def code_of(call: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(Problem) as caught:
        call(*args, **kwargs)
    return caught.value.code


def test_a_maintainer_makes_a_consumer_and_hands_out_its_secret(town: Town) -> None:
    made = make_robot(town["sue"], town.shop, "shop-web", description="the shop's cluster")
    issued = issue_secret_of(town["sue"], made, Wanted("cluster", in_days(30)))
    assert isinstance(issued.stored, Secret)
    assert (made.kind, made.team, issued.stored.shown_to) == ("consumer", town.shop, town["sue"])
    assert issued.text.startswith("ptr_")
    assert set(AuditEvent.objects.values_list("verb", flat=True)) >= {"robotaccount.created", "secret.issued"}


@pytest.mark.parametrize("who", OTHERS)
def test_nobody_else_looks_after_the_teams_robots(town: Town, who: str) -> None:
    secret, _ = issue_robot_secret(town["ada"].actor, town.robbie, "runner", None)
    assert code_of(make_robot, town[who], town.shop, "mine") == "not_a_maintainer"
    assert code_of(issue_secret_of, town[who], town.robbie, Wanted("x", None)) == "not_a_maintainer"
    assert code_of(retire_robot, town[who], town.robbie) == "not_a_maintainer"
    assert code_of(describe_robot, town[who], town.robbie, "mine") == "not_a_maintainer"
    assert code_of(revoke_secret_of, town[who], secret) == "not_a_maintainer"
    assert RobotAccount.objects.filter(is_active=True).count() == 1
    assert Secret.objects.filter(revoked_at=None).count() == 1


def test_robots_of_kind_ci_are_for_platform_admins(town: Town) -> None:
    assert code_of(make_robot, town["sue"], town.shop, "shop-ci", "ci") == "ci_is_for_admins"
    ci = make_robot(town["ada"], town.shop, "shop-ci", "ci")
    assert code_of(issue_secret_of, town["sue"], ci, Wanted("x", None)) == "ci_is_for_admins"
    assert code_of(retire_robot, town["sue"], ci) == "ci_is_for_admins"
    secret = issue_secret_of(town["ada"], ci, Wanted("x", None)).stored
    assert isinstance(secret, Secret)
    revoke_secret_of(town["sue"], secret)
    secret.refresh_from_db()
    assert secret.revoked_at is not None


@pytest.mark.parametrize("name", ["", "Robbie", "a b", "-x", "x" * 58, "robbie", "ü"])
def test_bad_names(town: Town, name: str) -> None:
    assert code_of(make_robot, town["sue"], town.shop, name) == "invalid"


def test_a_bad_kind_or_end(town: Town) -> None:
    assert code_of(make_robot, town["ada"], town.shop, "x", "root") == "invalid"
    assert code_of(make_robot, town["sue"], town.shop, "x", expires_at=in_days(-1)) == "invalid"


def test_retiring_revokes_and_is_done_once(town: Town) -> None:
    issue_secret_of(town["sue"], town.robbie, Wanted("a", None))
    issue_secret_of(town["sue"], town.robbie, Wanted("b", None))
    assert [retire_robot(town["sue"], town.robbie) for _ in range(2)] == [2, 0]
    assert AuditEvent.objects.filter(verb="robotaccount.retired").count() == 1
    assert code_of(issue_secret_of, town["sue"], town.robbie, Wanted("c", None)) == "retired"


@pytest.mark.parametrize("who", ["sue", "sam", "rita", "audrey", "charlie"])
@pytest.mark.parametrize("kind", ["ci", "consumer"])
def test_the_admin_takes_no_robot_from_anybody_else(town: Town, who: str, kind: str) -> None:
    client = Client()
    client.force_login(town[who], backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post(
        "/admin/access/robotaccount/add/",
        {"name": "mine", "kind": kind, "team": town.shop.pk, "description": "", "is_active": "on"},
    )
    assert answer.status_code in (302, 403)
    assert not RobotAccount.objects.filter(name="mine").exists()


def test_the_admin_makes_them_for_platform_admins(town: Town) -> None:
    client = Client()
    client.force_login(town["ada"], backend="allauth.account.auth_backends.AuthenticationBackend")
    fields = {"name": "shop-ci", "kind": "ci", "team": town.shop.pk, "description": "", "is_active": "on"}
    assert client.post("/admin/access/robotaccount/add/", fields).status_code == 302
    assert RobotAccount.objects.get(name="shop-ci").kind == "ci"


def test_a_topology_file_makes_them_for_platform_admins_alone(town: Town) -> None:
    wanted = read_topology("robots:\n  shop-ci:\n    kind: ci\n    team: shop\n")
    for who in ("sue", "sam", "charlie"):
        with pytest.raises(TopologyFileError, match="platform admins"):
            apply_topology(town[who].actor, wanted)
    with pytest.raises(TopologyFileError, match="platform admins"):
        apply_topology(robot_of("ci", town.shop).actor, wanted)
    assert not RobotAccount.objects.filter(name="shop-ci").exists()
    apply_topology(town["ada"].actor, wanted)
    assert RobotAccount.objects.get(name="shop-ci").kind == "ci"


def test_a_robot_has_no_more_secrets_than_somebody_can_look_after(town: Town) -> None:
    for number in range(MOST_OF_A_ROBOT):
        issue_secret_of(town["sue"], town.robbie, Wanted(f"n{number}", None))
    assert code_of(issue_secret_of, town["sue"], town.robbie, Wanted("one more", None)) == "too_many"
