"""Who may do what on the pages about access, person by person: the right is asked of the row itself, never of the address above it,
and what is not there looks like what one may not see."""

from typing import Any

import pytest
from django.db import transaction
from django.urls import get_resolver

from registries.access.models import AccessRule, RobotAccount, Secret
from tests.portal.web.conftest import SignIn
from tests.portal.web.grants import EVERYBODY, Grants, make_grants, picture, whole_picture
from tests.registries.access.town import in_days

pytestmark = pytest.mark.django_db
DAY = in_days(20).date().isoformat()
# name of the act -> address, what is sent, who may. {r} request, {g} granted one, {k} loose rule, {s} secret of robbie.
ACTS: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    "grant": (
        "/access/requests/{r}/decide/",
        {"decision": "grant", "version": 1, "pattern": "payments/api", "actions": "pull", "ends_on": DAY},
        {"alice", "bob", "ada"},
    ),
    "refuse": (
        "/access/requests/{r}/decide/",
        {"decision": "refuse", "version": 1, "comment": "no"},
        {"alice", "bob", "ada"},
    ),
    "withdraw": ("/access/requests/{r}/withdraw/", {}, {"dora"}),
    "prolong": ("/access/requests/{g}/prolong/", {}, {"dora"}),
    "keep": ("/access/review/change/", {"change": "keep", "rule": "{k}"}, {"alice", "bob", "ada", "sam"}),
    "end": ("/access/review/change/", {"end_one": "{k}"}, {"alice", "bob", "ada", "sam"}),
    "end on": (
        "/access/review/change/",
        {"change": "end_on", "rule": "{k}", "day": DAY},
        {"alice", "bob", "ada", "sam"},
    ),
    "take in": ("/teams/shop/members/", {"username": "charlie"}, {"sue", "ada"}),
    "promote": ("/teams/shop/members/", {"username": "dora", "is_maintainer": "on"}, {"sue", "ada"}),
    "let go": ("/teams/shop/members/dora/remove/", {}, {"sue", "ada"}),
    "make robot": ("/teams/shop/robots/", {"name": "shop-web", "description": "cluster"}, {"sue", "ada"}),
    "describe": ("/teams/shop/robots/robbie/describe/", {"description": "new words"}, {"sue", "ada"}),
    "retire": ("/teams/shop/robots/robbie/retire/", {}, {"sue", "ada"}),
    "issue": ("/teams/shop/robots/robbie/secrets/", {"name": "runner", "days": "30"}, {"sue", "ada"}),
    "revoke": ("/teams/shop/robots/robbie/secrets/{s}/revoke/", {}, {"sue", "ada"}),
}
SEES: dict[str, set[str]] = {
    "/access/requests/{r}/": {"dora", "alice", "bob", "ada", "sam", "audrey", "rita"},
    "/teams/shop/robots/robbie/": {"dora", "sue", "ada", "sam", "audrey", "rita"},
}


@pytest.fixture
def grants(db: None) -> Grants:
    return make_grants()


def filled(text: str, grants: Grants) -> str:
    return text.format(r=grants.request.pk, g=grants.granted.pk, k=grants.loose.pk, s=grants.secret.pk)


@pytest.mark.parametrize("act", ACTS)
def test_who_may(grants: Grants, signed_in: SignIn, act: str) -> None:
    """Each of them finds everything as it was at first."""
    address, data, may = ACTS[act]
    sent = {name: filled(str(value), grants) for name, value in data.items()}
    clients = {who: signed_in(grants.town[who]) for who in EVERYBODY}
    before = picture()
    for who, client in clients.items():
        with transaction.atomic():
            answer = client.post(filled(address, grants), sent)
            after = picture()
            transaction.set_rollback(True)
        assert answer.status_code in ((200, 302) if who in may else (302, 403, 404)), (
            who,
            answer.content.decode()[-2000:],
        )
        assert (after != before) == (who in may), who


@pytest.mark.parametrize("address", SEES)
def test_who_sees(grants: Grants, signed_in: SignIn, address: str) -> None:
    for who in EVERYBODY:
        answer = signed_in(grants.town[who]).get(filled(address, grants))
        assert answer.status_code == (200 if who in SEES[address] else 404), who


@pytest.mark.parametrize(
    ("there", "nowhere"),
    [
        ("/access/requests/{r}/", "/access/requests/999999/"),
        ("/teams/shop/robots/robbie/", "/teams/shop/robots/nobody/"),
        ("/teams/shop/robots/robbie/", "/teams/nowhere/robots/robbie/"),
    ],
)
def test_what_may_not_be_seen_looks_like_what_is_not_there(
    grants: Grants, signed_in: SignIn, there: str, nowhere: str
) -> None:
    client = signed_in(grants.town["charlie"])
    hidden, absent = client.get(filled(there, grants)), client.get(nowhere)
    assert (hidden.status_code, absent.status_code) == (404, 404)


def test_the_address_above_a_row_gives_no_right_to_it(grants: Grants, signed_in: SignIn) -> None:
    """Bob maintains payments and sue shop; neither reaches the other's robots and secrets through a team or robot of their own."""
    bob, sue = signed_in(grants.town["bob"]), signed_in(grants.town["sue"])
    before = picture()
    for client, address in (
        (bob, "/teams/payments/robots/robbie/retire/"),
        (bob, f"/teams/payments/robots/pay-web/secrets/{grants.secret.pk}/revoke/"),
        (bob, f"/teams/payments/robots/robbie/secrets/{grants.secret.pk}/revoke/"),
        (bob, f"/teams/shop/robots/robbie/secrets/{grants.secret.pk}/revoke/"),
        (sue, f"/teams/shop/robots/robbie/secrets/{grants.other_secret.pk}/revoke/"),
        (sue, "/teams/shop/robots/pay-web/secrets/"),
        (sue, "/teams/shop/members/bob/remove/"),
    ):
        assert client.post(address, {"name": "x", "days": "30"}).status_code == 404, address
    assert picture() == before


def test_more_fields_than_a_form_has_change_nothing_more(grants: Grants, signed_in: SignIn) -> None:
    town = grants.town
    sue = signed_in(town["sue"])
    sent = {
        "name": "shop-web", "description": "cluster", "kind": "ci", "team": town.payments.pk, "team_id": town.payments.pk,
        "is_superuser": "on", "is_active": "", "expires_at": "",
    }  # fmt: skip
    assert sue.post("/teams/shop/robots/", sent).status_code == 302
    made = RobotAccount.objects.get(name="shop-web")
    assert (made.kind, made.team, made.is_active) == ("consumer", town.shop, True)
    asked = {
        "registry": "prod", "pattern": "payments/x", "actions": "pull", "whom": "me", "reason": "because", "ends_on": DAY,
        "requester": town["ada"].pk, "state": "granted", "decided_by": town["ada"].pk, "rule": grants.loose.pk, "version": 9,
        "user": town["ada"].pk, "is_public": "on", "effect": "allow",
    }  # fmt: skip
    assert signed_in(town["dora"]).post("/access/requests/new/", asked).status_code == 302
    row = town["dora"].access_requests.get(pattern="payments/x")
    assert (row.state, row.rule, row.version, row.decided_by) == ("waiting", None, 1, None)
    decided = {**ACTS["grant"][1], "is_public": "on", "may_push": "on", "networks": "", "user": town["charlie"].pk}
    assert signed_in(town["bob"]).post(f"/access/requests/{grants.request.pk}/decide/", decided).status_code == 302
    rule = AccessRule.objects.get(request=grants.request)
    assert (rule.user, rule.may_push, rule.is_public) == (town["dora"], False, False)
    secret = {
        "name": "n",
        "days": "30",
        "robot": grants.other_secret.robot_id,
        "is_keyless": "on",
        "shown_to": town["ada"].pk,
    }
    assert sue.post("/teams/shop/robots/robbie/secrets/", secret).status_code == 200
    issued = Secret.objects.get(name="n")
    assert (issued.robot, issued.is_keyless, issued.shown_to) == (town.robbie, False, town["sue"])


@pytest.mark.parametrize(
    "whom", ["team:payments", "robot:pay-web", "robot:robbie; drop", "user:ada", "ada", "", "team:", "me\0"]
)
def test_nobody_asks_for_those_they_have_nothing_to_do_with(grants: Grants, signed_in: SignIn, whom: str) -> None:
    asked = {
        "registry": "prod",
        "pattern": "payments/x",
        "actions": "pull",
        "whom": whom,
        "reason": "y",
        "ends_on": DAY,
    }
    client = signed_in(grants.town["dora"])
    before = picture()
    assert client.post("/access/requests/new/", asked).status_code == 400
    assert picture() == before


def access_addresses() -> list[str]:
    """Every address of the portal about access and teams, taken from the addresses themselves, so that a new one is not forgotten."""
    found = [str(each.pattern) for each in get_resolver("portal.web.urls").url_patterns]
    return [f"/{route}" for route in found if route.startswith(("access/", "teams/"))]


@pytest.mark.parametrize("route", access_addresses())
def test_an_auditor_changes_nothing_anywhere(grants: Grants, signed_in: SignIn, route: str) -> None:
    """One's own request is another matter: an auditor asks for access like anybody."""
    address = route
    for name, value in {
        "<int:key>": str(grants.secret.pk if "secrets" in route else grants.request.pk),
        "<str:name>": "shop", "<str:robot>": "robbie", "<str:username>": "dora",
    }.items():  # fmt: skip
        address = address.replace(name, value)
    sent = {name: filled(str(value), grants) for _, data, _ in ACTS.values() for name, value in data.items()}
    client = signed_in(grants.town["audrey"])
    client.get(address)
    before = whole_picture()
    client.post(address, sent)
    assert whole_picture() == before


def test_strangers_are_led_to_the_login_page(grants: Grants, signed_in: SignIn, client: Any) -> None:
    for address, data, _ in ACTS.values():
        answer = client.post(filled(address, grants), data)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")
    assert client.get("/access/review/")["Location"].startswith("/accounts/login/")
