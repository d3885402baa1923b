"""Whom to ask, who is in a team, and what its maintainers do there."""

import json
import re

import pytest
from django.utils import timezone

from portal.users.models import Membership
from registries.access.credential.credentials import authenticate_secret
from registries.access.models import RobotAccount, Secret
from tests.portal.web.conftest import SignIn
from tests.portal.web.grants import Grants, make_grants

pytestmark = pytest.mark.django_db


@pytest.fixture
def grants(db: None) -> Grants:
    made = make_grants()
    made.town.payments.contact = "#payments"
    made.town.payments.save()
    return made


def test_everybody_finds_whom_to_ask_and_no_more(grants: Grants, signed_in: SignIn) -> None:
    charlie = signed_in(grants.town["charlie"])
    listed = charlie.get("/teams/").content.decode()
    assert "#payments" in listed
    page = charlie.get("/teams/payments/").content.decode()
    assert "alice" in page
    assert "payments/…" in page
    for hidden in ("pay-web", "dora", "Rules that speak of it", "Take in"):
        assert hidden not in page, hidden


def test_members_see_inside_and_maintainers_act(grants: Grants, signed_in: SignIn) -> None:
    dora, sue = signed_in(grants.town["dora"]), signed_in(grants.town["sue"])
    seen, steered = dora.get("/teams/shop/").content.decode(), sue.get("/teams/shop/").content.decode()
    assert "robot.robbie" in seen
    assert "Its maintainers say who belongs to it" in seen
    assert "Take in" not in seen
    assert "Take in" in steered
    assert "Make a robot that pulls" in steered


def test_the_team_shows_what_waits_and_what_to_look_at(grants: Grants, signed_in: SignIn) -> None:
    page = signed_in(grants.town["bob"]).get("/teams/payments/").content.decode()
    assert f"/access/requests/{grants.request.pk}/" in page
    assert "1 grant to look at" in page
    assert "payments/old" in page


def test_a_secret_is_shown_once_and_works(grants: Grants, signed_in: SignIn) -> None:
    sue = signed_in(grants.town["sue"])
    made = sue.post("/teams/shop/robots/robbie/secrets/", {"name": "cluster", "days": "30"})
    assert "no-store" in made["Cache-Control"]
    secret = re.search(r"ptr_[A-Za-z0-9]+_[A-Za-z0-9_-]{43}", made.content.decode())
    assert secret is not None
    assert authenticate_secret("robot.robbie", secret[0], timezone.now()) is not None
    again = sue.get("/teams/shop/robots/robbie/").content.decode()
    assert secret[0] not in again
    assert "sue" in again
    key = Secret.objects.get(name="cluster").pk
    sue.post(f"/teams/shop/robots/robbie/secrets/{key}/revoke/")
    assert authenticate_secret("robot.robbie", secret[0], timezone.now()) is None


@pytest.mark.parametrize("sent", [{}, {"name": "x", "days": "9999"}, {"name": "x" * 81, "days": "30"}])
def test_bad_secrets(grants: Grants, signed_in: SignIn, sent: dict[str, str]) -> None:
    count = Secret.objects.count()
    assert signed_in(grants.town["sue"]).post("/teams/shop/robots/robbie/secrets/", sent).status_code == 400
    assert Secret.objects.count() == count


def test_a_ci_robot_is_kept_by_platform_admins_and_the_page_says_so(grants: Grants, signed_in: SignIn) -> None:
    RobotAccount.objects.create(name="shop-ci", kind="ci", team=grants.town.shop)
    sue, ada = signed_in(grants.town["sue"]), signed_in(grants.town["ada"])
    page = sue.get("/teams/shop/robots/shop-ci/").content.decode()
    assert "It is of kind CI" in page
    assert "Issue a secret" not in page
    refused = sue.post("/teams/shop/robots/shop-ci/secrets/", {"name": "x", "days": "30"})
    assert refused.status_code == 403
    assert "only platform admins" in refused.content.decode()
    assert ada.post("/teams/shop/robots/shop-ci/secrets/", {"name": "x", "days": "30"}).status_code == 200


def test_retiring_a_robot(grants: Grants, signed_in: SignIn) -> None:
    sue = signed_in(grants.town["sue"])
    answer = sue.post("/teams/shop/robots/robbie/retire/", follow=True).content.decode()
    assert "1 of its secrets revoked" in answer
    assert "It is retired; nothing is issued" in sue.get("/teams/shop/robots/robbie/").content.decode()


def test_the_last_maintainer_stays_until_there_is_another(grants: Grants, signed_in: SignIn) -> None:
    sue = signed_in(grants.town["sue"])
    refused = sue.post("/teams/shop/members/sue/remove/")
    assert (refused.status_code, "last maintainer of team shop" in refused.content.decode()) == (409, True)
    sue.post("/teams/shop/members/", {"username": "dora", "is_maintainer": "on"})
    assert sue.post("/teams/shop/members/sue/remove/").status_code == 302
    assert list(Membership.objects.filter(team=grants.town.shop).values_list("user__username", flat=True)) == ["dora"]


def test_where_the_identity_provider_rules_no_form_is_offered(grants: Grants, signed_in: SignIn) -> None:
    grants.town.shop.external_group = "grp-shop"
    grants.town.shop.save()
    sue = signed_in(grants.town["sue"])
    page = sue.get("/teams/shop/").content.decode()
    assert "grp-shop" in page
    assert "Take in" not in page
    assert sue.post("/teams/shop/members/", {"username": "charlie"}).status_code == 409


def test_unknown_people_and_bad_names_keep_what_was_typed(grants: Grants, signed_in: SignIn) -> None:
    sue = signed_in(grants.town["sue"])
    answer = sue.post("/teams/shop/members/", {"username": "nobody-like-it"})
    assert (answer.status_code, "nobody-like-it" in answer.content.decode()) == (422, True)
    answer = sue.post("/teams/shop/robots/", {"name": "Not A Name", "description": "x"})
    assert (answer.status_code, "Not A Name" in answer.content.decode()) == (422, True)


def test_teams_are_listed_sorted_and_exported(grants: Grants, signed_in: SignIn) -> None:
    dora = signed_in(grants.town["dora"])
    rows = json.loads(dora.get("/teams/?format=json&sort=-name").content)["rows"]
    assert [(row["name"], row["maintainers"], row["people"], row["robots"]) for row in rows] == [
        ("shop", "sue", 2, 1),
        ("payments", "alice, bob", 2, 1),
    ]
    assert "payments" not in re.findall(r'href="/teams/(\w+)/"', dora.get("/teams/?mine=yes").content.decode())
    assert "No team fits" in dora.get("/teams/?q=zzz").content.decode()
    assert dora.get("/teams/no-such-team/").status_code == 404
