"""Grants to look at: filtered, kept, ended, one or many at once."""

import json

import pytest

from registries.access.models import AccessRule
from tests.portal.web.conftest import SignIn
from tests.portal.web.grants import Grants, make_grants
from tests.registries.access.town import in_days

pytestmark = pytest.mark.django_db
PAGE, CHANGE = "/access/review/", "/access/review/change/"


@pytest.fixture
def grants(db: None) -> Grants:
    return make_grants()


def test_what_is_odd_is_said_and_filtered_by(grants: Grants, signed_in: SignIn) -> None:
    bob = signed_in(grants.town["bob"])
    page = bob.get(PAGE).content.decode()
    assert "without an end" in page
    assert "payments/old" in page
    assert "payments/ui" not in page
    assert "payments/ui" in bob.get(f"{PAGE}?show=all").content.decode()
    for finding in ("never-used", "unused", "gone", "no-secret", "far-end", "covered"):
        assert "No grant fits" in bob.get(f"{PAGE}?finding={finding}").content.decode(), finding
    assert "payments/old" in bob.get(f"{PAGE}?finding=no-end&days=30&sort=-ends").content.decode()
    assert bob.get(f"{PAGE}?finding=nonsense&days=abc&sort=nonsense").status_code == 200


def test_it_is_exported_with_its_findings(grants: Grants, signed_in: SignIn) -> None:
    rows = json.loads(signed_in(grants.town["ada"]).get(f"{PAGE}?format=json").content)["rows"]
    assert [(row["who"], row["findings"]) for row in rows] == [("dora", "without an end")]


def test_kept_and_ended(grants: Grants, signed_in: SignIn) -> None:
    bob, loose = signed_in(grants.town["bob"]), grants.loose
    kept = bob.post(CHANGE, {"keep_one": loose.pk, "here": f"{PAGE}?days=30"})
    assert kept["Location"] == f"{PAGE}?days=30"
    assert "Nothing to look at" in bob.get(PAGE).content.decode()
    more = AccessRule.objects.create(user=grants.town["dora"], registry=grants.town.prod, pattern="payments/more")
    day = in_days(9).date()
    said = bob.post(CHANGE, {"change": "end_on", "day": day.isoformat(), "rule": [loose.pk, more.pk]}, follow=True)
    assert "2 grants ended." in said.content.decode()
    assert {rule.ends_at.date() for rule in AccessRule.objects.filter(pk__in=[loose.pk, more.pk]) if rule.ends_at} == {
        day
    }


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"change": "end_on", "rule": "{k}"}, "Name the day"),
        ({"change": "end_on", "day": "2026-02-31", "rule": "{k}"}, "Name the day"),
        ({"change": "end_on", "day": "2020-01-01", "rule": "{k}"}, "This moment is past"),
        ({"change": "extend", "rule": "{k}"}, "Choose whether"),
        ({"change": "keep"}, "Nothing was ticked"),
        ({"change": "keep", "rule": ["x", "-1", "9" * 40]}, "Nothing was ticked"),
        ({"change": "keep", "rule": "999999"}, "left as they were"),
        ({}, "Choose whether"),
    ],
)
def test_bad_changes(grants: Grants, signed_in: SignIn, sent: dict[str, object], said: str) -> None:
    filled = {key: str(grants.loose.pk) if value == "{k}" else value for key, value in sent.items()}
    before = list(AccessRule.objects.order_by("pk").values())
    answer = signed_in(grants.town["bob"]).post(CHANGE, filled, follow=True)
    assert said in answer.content.decode()
    assert list(AccessRule.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    "here", ["https://elsewhere.example/", "//elsewhere.example", "/admin/", "/access/review/../../admin/"]
)
def test_the_way_back_leads_to_the_list_alone(grants: Grants, signed_in: SignIn, here: str) -> None:
    answer = signed_in(grants.town["bob"]).post(CHANGE, {"keep_one": grants.loose.pk, "here": here})
    assert answer["Location"] == PAGE


def test_an_auditor_looks_and_is_offered_nothing(grants: Grants, signed_in: SignIn) -> None:
    page = signed_in(grants.town["audrey"]).get(PAGE).content.decode()
    assert "payments/old" in page
    assert "You may look." in page
    assert '/admin/access/accessuse/?q=dora"' in page
    assert "keep_one" not in page


@pytest.mark.parametrize("who", ["dora", "charlie"])
def test_those_it_has_nothing_for_are_told_whose_it_is(grants: Grants, signed_in: SignIn, who: str) -> None:
    client = signed_in(grants.town[who])
    answer = client.get(PAGE)
    assert answer.status_code == 403
    assert "reviewed by the maintainers" in answer.content.decode()
    assert PAGE not in client.get("/my/access/").content.decode()
