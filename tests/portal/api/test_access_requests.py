"""Asking, deciding and looking after robots by the API: the same rights as on the pages, and nothing to be learnt by guessing."""

from typing import Any

import pytest

from registries.access.asking.request_models import AccessRequest
from registries.access.credential.credentials import authenticate_secret, issue_personal_token, issue_robot_secret
from registries.access.models import AccessRule, RobotAccount, Secret
from tests.portal.api.office import Door
from tests.portal.web.grants import EVERYBODY, Grants, make_grants, picture
from tests.registries.access.town import in_days

pytestmark = pytest.mark.django_db


@pytest.fixture
def grants(db: None) -> Grants:
    return make_grants()


@pytest.fixture
def doors(grants: Grants) -> dict[str, Door]:
    found = {
        name: Door(issue_personal_token(grants.town[name].actor, grants.town[name], "tests", None)[1])
        for name in EVERYBODY
    }
    robot = grants.town.robbie
    return {**found, "robbie": Door(issue_robot_secret(robot.actor, robot, "tests", None)[1]), "nobody": Door()}


def wish(**changes: Any) -> dict[str, Any]:
    return {
        "registry": "prod", "pattern": "payments/x", "actions": ["pull"], "reason": "because", "ends_at": in_days(9).isoformat(),
        **changes,
    }  # fmt: skip


def test_asked_and_granted_with_less(doors: dict[str, Door]) -> None:
    made = doors["dora"].post("/access-requests", wish(pattern="payments/x/**"))
    assert (made.status, made.body["state"], made.body["subject"]) == (201, "waiting", "dora")
    assert made.headers["Location"] == f"/api/v1/access-requests/{made.body['id']}"
    waiting = doors["bob"].get("/access-requests", show="waiting").body["results"]
    assert made.body["id"] in [row["id"] for row in waiting]
    decided = doors["bob"].post(
        f"/access-requests/{made.body['id']}/decision", {"decision": "grant", "version": 1, "pattern": "payments/x/y"}
    )
    assert (decided.status, decided.body["state"], decided.body["grant"]["pattern"]) == (201, "granted", "payments/x/y")
    assert doors["dora"].get(f"/access-requests/{made.body['id']}").body["decided_by"] == "bob"


def test_refusals_carry_the_explanation(doors: dict[str, Door], grants: Grants) -> None:
    answers = {
        "would_not_help": doors["dora"].post("/access-requests", wish(actions=["push"])),
        "already_waiting": doors["dora"].post("/access-requests", wish(pattern="payments/api")),
        "beyond_team": doors["dora"].post("/access-requests", wish(robot="robot.robbie")),
        "bad_pattern": doors["dora"].post("/access-requests", wish(pattern="Payments")),
        "bad_end": doors["dora"].post("/access-requests", wish(ends_at=in_days(900).isoformat())),
        "not_your_team": doors["dora"].post("/access-requests", wish(team="payments")),
        "invalid": doors["dora"].post("/access-requests", wish(team="shop", robot="robbie")),
        "not_found": doors["dora"].post("/access-requests", wish(registry="nowhere")),
        "people_only": doors["robbie"].post("/access-requests", wish()),
        "not_authenticated": doors["nobody"].post("/access-requests", wish()),
    }
    assert {code: answer.code for code, answer in answers.items()} == {code: code for code in answers}
    assert "promotion pipeline" in answers["would_not_help"].body["detail"]
    assert answers["already_waiting"].body["request"] == grants.request.pk


@pytest.mark.parametrize(
    "body",
    [
        {}, wish(actions=[]), wish(actions=["own"]), wish(actions="pull"), wish(reason=""), wish(reason="x" * 2001),
        wish(ends_at="tomorrow"), wish(pattern=["a"]), wish(registry={}), wish(pattern="a\0b"), [wish()],
    ],
)  # fmt: skip
def test_bad_bodies(doors: dict[str, Door], body: Any) -> None:
    count = AccessRequest.objects.count()
    answer = doors["dora"].post("/access-requests", body)
    assert (answer.status, answer.code) == (400, "invalid")
    assert AccessRequest.objects.count() == count


def test_others_fields_are_not_taken(doors: dict[str, Door], grants: Grants) -> None:
    ada = grants.town["ada"].pk
    more = {
        "requester": ada,
        "state": "granted",
        "rule": grants.loose.pk,
        "version": 7,
        "decided_by": ada,
        "is_superuser": True,
    }
    row = AccessRequest.objects.get(pk=doors["dora"].post("/access-requests", wish(**more)).body["id"])
    assert (row.requester, row.state, row.rule, row.version) == (grants.town["dora"], "waiting", None, 1)
    more = {
        "kind": "consumer",
        "team": "payments",
        "team_id": grants.town.payments.pk,
        "is_active": False,
        "secrets": [],
    }
    made = doors["sue"].post("/teams/shop/robots", {"name": "shop-web", **more})
    assert (made.status, made.body["team"], made.body["is_active"]) == (201, "shop", True)


ACTS: dict[str, tuple[str, str, dict[str, Any], set[str], set[str]]] = {
    # method, path, body, who may, who sees it and may not
    "grant": ("post", "/access-requests/{r}/decision", {"decision": "grant", "version": 1}, {"alice", "bob", "ada"}, {"dora"}),
    "refuse": (
        "post", "/access-requests/{r}/decision", {"decision": "refuse", "version": 1, "comment": "no"}, {"alice", "bob", "ada"}, {"dora"},
    ),
    "withdraw": ("post", "/access-requests/{r}/withdraw", {}, {"dora"}, {"alice", "bob", "ada"}),
    "make": ("post", "/teams/shop/robots", {"name": "shop-web"}, {"sue", "ada"}, {"dora"}),
    "make ci": ("post", "/teams/shop/robots", {"name": "shop-ci", "kind": "ci"}, {"ada"}, {"dora", "sue"}),
    "issue": (
        "post", "/teams/shop/robots/robbie/secrets", {"name": "n", "expires_at": in_days(9).isoformat()}, {"sue", "ada"}, {"dora"},
    ),
    "retire": ("delete", "/teams/shop/robots/robbie", {}, {"sue", "ada"}, {"dora"}),
    "revoke": ("delete", "/teams/shop/robots/robbie/secrets/{s}", {}, {"sue", "ada"}, {"dora"}),
}  # fmt: skip
READERS = {"sam", "audrey", "rita"}


@pytest.mark.parametrize("act", ACTS)
def test_who_may(grants: Grants, doors: dict[str, Door], act: str) -> None:
    method, path, body, may, see = ACTS[act]
    path = path.format(r=grants.request.pk, s=grants.secret.pk)
    for who in [name for name in (*EVERYBODY, "robbie") if name not in may]:
        before = _without_uses(picture())
        answer = doors[who].post(path, body) if method == "post" else doors[who].delete(path)
        wanted = 403 if who in see | READERS | {"ada"} or who == "robbie" else 404
        assert answer.status == wanted, (who, answer.body)
        assert _without_uses(picture()) == before, who
    first = sorted(may)[-1]
    answer = doors[first].post(path, body) if method == "post" else doors[first].delete(path)
    assert answer.status in (200, 201, 204), answer.body


def _without_uses(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """A secret that was shown was used; that is what coming in by it leaves behind."""
    return {
        label: [{name: value for name, value in row.items() if name != "last_used_at"} for row in found]
        for label, found in rows.items()
    }


def test_what_is_anothers_looks_like_what_is_not_there(grants: Grants, doors: dict[str, Door]) -> None:
    for path, nowhere in (
        (f"/access-requests/{grants.request.pk}", "/access-requests/999999"),
        ("/teams/shop/robots", "/teams/nowhere/robots"),
        ("/teams/shop/robots/robbie", "/teams/shop/robots/nobody"),
        ("/teams/shop/robots/robbie/secrets", "/teams/shop/robots/nobody/secrets"),
    ):
        hidden, absent = doors["charlie"].get(path), doors["charlie"].get(nowhere)
        assert (hidden.status, {**hidden.body, "request_id": ""}) == (404, {**absent.body, "request_id": ""})


def test_a_path_above_gives_no_right(grants: Grants, doors: dict[str, Door]) -> None:
    for who, path in (
        ("bob", "/teams/payments/robots/robbie"),
        ("bob", f"/teams/payments/robots/pay-web/secrets/{grants.secret.pk}"),
        ("sue", f"/teams/shop/robots/robbie/secrets/{grants.other_secret.pk}"),
        ("sue", "/teams/payments/robots/pay-web"),
    ):
        assert doors[who].delete(path).status == 404, path
    assert not Secret.objects.exclude(revoked_at=None).exists()
    assert RobotAccount.objects.filter(is_active=True).count() == 2


def test_an_issued_secret_works_and_is_told_once(grants: Grants, doors: dict[str, Door]) -> None:
    from django.utils import timezone

    body = {"name": "cluster", "expires_at": in_days(9).isoformat()}
    made = doors["sue"].post("/teams/shop/robots/robot.robbie/secrets", body)
    assert made.headers["Cache-Control"] == "no-store"
    assert authenticate_secret("robot.robbie", made.body["secret"], timezone.now()) is not None
    listed = doors["dora"].get("/teams/shop/robots/robbie/secrets").body["results"]
    assert made.body["secret"] not in str(listed)
    assert any(row["begins_with"] and made.body["secret"].startswith(row["begins_with"]) for row in listed)


def test_pages_and_filters(grants: Grants, doors: dict[str, Door]) -> None:
    assert [
        row["state"] for row in doors["dora"].get("/access-requests", show="mine", state="granted").body["results"]
    ] == ["granted"]
    assert doors["charlie"].get("/access-requests").body["results"] == []
    assert len(doors["audrey"].get("/access-requests", registry="prod").body["results"]) == 2
    assert doors["dora"].get("/access-requests", show="yours").code == "invalid"
    assert AccessRule.objects.count() == 2
