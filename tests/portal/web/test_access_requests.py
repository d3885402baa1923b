"""Ask on a page, decide on a page, and see on both what it means."""

import csv
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registries.access.asking.request_models import AccessRequest
from registries.access.models import AccessRule
from registries.access.queries import may
from registries.catalog.models import Repository
from tests.portal.web.conftest import SignIn
from tests.portal.web.grants import Grants, make_grants
from tests.registries.access.town import in_days

pytestmark = pytest.mark.django_db
NEW = "/access/requests/new/"
DAY = in_days(20).date().isoformat()


@pytest.fixture
def grants(db: None) -> Grants:
    return make_grants()


def form(**changes: object) -> dict[str, object]:
    return {
        "registry": "prod", "pattern": "payments/x", "actions": ["pull"], "whom": "me", "reason": "to compare", "ends_on": DAY, **changes,
    }  # fmt: skip


def test_the_form_comes_filled_in(grants: Grants, signed_in: SignIn) -> None:
    client = signed_in(grants.town["dora"])
    page = client.get(
        f"{NEW}?registry=sandbox&repository=payments/zz&action=pull,delete&for=robot:robbie"
    ).content.decode()
    assert '<option value="sandbox" selected>' in page
    assert 'value="payments/zz"' in page
    assert 'value="delete" id="id_actions_2" checked' in page
    assert '<option value="robot:robbie" selected>' in page
    assert client.get(f"{NEW}?registry=nowhere&action=own&for=robot:pay-web&repository=%00").status_code == 200


def test_asked_decided_and_followed(grants: Grants, signed_in: SignIn) -> None:
    town = grants.town
    for name in ("payments/x", "payments/x/ui"):
        Repository.objects.create(registry=town.prod, name=name)
    dora, bob = signed_in(town["dora"]), signed_in(town["bob"])
    answer = dora.post(NEW, form(pattern="payments/x/**"), follow=True)
    row = AccessRequest.objects.get(pattern="payments/x/**")
    assert "Those who may decide have been told" in answer.content.decode()
    address = f"/access/requests/{row.pk}/"
    seen = bob.get(address).content.decode()
    assert "You decide as a maintainer of team payments" in seen
    assert "payments/x/ui" in seen
    assert "this is new" in seen
    assert "request 1 of dora" in seen
    assert address in bob.get("/inbox/").content.decode()
    assert "You asked for this, so somebody else decides" in dora.get(address).content.decode()
    data = {
        "decision": "grant",
        "version": 1,
        "pattern": "payments/x",
        "actions": "pull",
        "ends_on": DAY,
        "comment": "fine",
    }
    after = bob.post(f"{address}decide/", data, follow=True).content.decode()
    assert "Granted. dora has been told." in after
    assert "granted" in dora.get(address).content.decode()
    assert may(town["dora"], "pull", town.prod, "payments/x")
    assert not may(town["dora"], "pull", town.prod, "payments/x/ui")
    assert address not in bob.get("/inbox/").content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"actions": ["push"]}, "promotion pipeline"),
        ({"pattern": "Payments"}, "can mean no repository"),
        ({"pattern": "payments/api"}, "Look at request"),
        ({"pattern": "payments/ui", "ends_on": in_days(5).date().isoformat()}, "may do that already"),
        ({"whom": "robot:robbie"}, "Ask for team shop instead"),
        ({"reason": ""}, "required"),
        ({"actions": []}, "required"),
        ({"ends_on": "2020-01-01"}, "between now and a year"),
        ({"ends_on": "soon"}, "valid date"),
        ({"registry": "nowhere"}, "valid choice"),
    ],
)
def test_a_refusal_explains_itself_and_loses_nothing(
    grants: Grants, signed_in: SignIn, changes: dict[str, object], said: str
) -> None:
    count = AccessRequest.objects.count()
    answer = signed_in(grants.town["dora"]).post(NEW, form(**{"reason": "words of mine", **changes}))
    page = answer.content.decode()
    assert answer.status_code == 400
    assert said in page
    assert "reason" in changes or "words of mine" in page
    assert AccessRequest.objects.count() == count


def test_one_button_asks_for_the_team_instead(grants: Grants, signed_in: SignIn) -> None:
    """The button's own value stands after the one that was chosen, and counts."""
    sent = form(whom=["robot:robbie", "team:shop"])
    assert signed_in(grants.town["dora"]).post(NEW, sent).status_code == 302
    assert AccessRequest.objects.get(team=grants.town.shop).pattern == "payments/x"


def test_a_page_that_is_out_of_date_decides_nothing(grants: Grants, signed_in: SignIn) -> None:
    bob = signed_in(grants.town["bob"])
    address = f"/access/requests/{grants.request.pk}/decide/"
    stale = bob.post(address, {"decision": "refuse", "version": 7, "comment": "words of mine"})
    assert stale.status_code == 409
    assert "Something changed since you looked" in stale.content.decode()
    assert "words of mine" in stale.content.decode()
    for bad in ({"decision": "refuse"}, {"decision": "refuse", "version": "x"}, {"decision": "grant", "version": 1}):
        assert bob.post(address, bad).status_code == 400
    assert bob.post(address, {"decision": "refuse", "version": 1, "comment": ""}).status_code == 422
    grants.request.refresh_from_db()
    assert grants.request.state == "waiting"


def test_one_click_prolongs(grants: Grants, signed_in: SignIn) -> None:
    dora = signed_in(grants.town["dora"])
    page = dora.get(f"/access/requests/{grants.granted.pk}/").content.decode()
    assert "Ask for as long again" in page
    made = dora.post(f"/access/requests/{grants.granted.pk}/prolong/", follow=True).content.decode()
    assert f"Prolongs request {grants.granted.pk}" in made
    again = dora.post(f"/access/requests/{grants.granted.pk}/prolong/")
    assert again.status_code == 409


def test_lists_are_filtered_sorted_and_exported(grants: Grants, signed_in: SignIn) -> None:
    dora = signed_in(grants.town["dora"])
    rows = json.loads(dora.get("/access/requests/?format=json&sort=id").content)["rows"]
    assert [row["state"] for row in rows] == ["granted", "waiting"]
    lines = b"".join(dora.get("/access/requests/?state=waiting&format=csv").streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert [row["what"] for row in csv.DictReader(lines)] == ["pull prod/payments/api"]
    assert "No request fits" in dora.get("/access/requests/?q=zzz").content.decode()
    assert (
        "You have asked for nothing yet" in signed_in(grants.town["charlie"]).get("/access/requests/").content.decode()
    )
    for sort in ("what", "requester", "ends", "-asked", "for", "nonsense"):
        assert dora.get(f"/access/requests/?show=all&sort={sort}").status_code == 200


def test_more_requests_need_no_more_queries(grants: Grants, signed_in: SignIn) -> None:
    bob = signed_in(grants.town["bob"])
    for address in ("/access/requests/?show=waiting", "/access/review/", "/teams/", "/teams/shop/", "/inbox/"):
        bob.get(address)
    few = {}
    for address in ("/access/requests/?show=waiting", "/access/review/", "/inbox/"):
        with CaptureQueriesContext(connection) as queries:
            bob.get(address)
        few[address] = len(queries)
    for number in range(8):
        grants.town.ask(pattern=f"payments/n{number}")
        AccessRule.objects.create(user=grants.town["dora"], registry=grants.town.prod, pattern=f"payments/o{number}")
    for address, count in few.items():
        bob.get(address)
        with CaptureQueriesContext(connection) as queries:
            bob.get(address)
        assert len(queries) <= count, address
