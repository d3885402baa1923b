"""Incidents on the pages: who sees which, who accepts them, what is said to the others."""

import pytest
from django.utils import timezone

from portal.users.models import Membership
from registries.sentinel.models import Incident
from tests.portal.web.cast import Company
from tests.portal.web.conftest import SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


@pytest.fixture
def incident(company: Company) -> Incident:
    Incident.objects.create(
        kind="misnamed_tag", registry=company.prod, repository="finance/ledger", tag="7.0.0", found_at=timezone.now()
    )
    return Incident.objects.create(
        kind="misnamed_tag", registry=company.snapshots, repository="payments/api", tag="1.4.0", found_at=timezone.now(),
        digest=company.snapshot.manifest.digest, detail="1.4.0 is not named like pr-*", rule="naming rule 1",
    )  # fmt: skip


def test_one_sees_the_incidents_of_what_one_sees(company: Company, signed_in: SignIn, incident: Incident) -> None:
    page = signed_in(company.charlie).get("/incidents/").content.decode()
    assert "payments/api:1.4.0" in page
    assert "finance/ledger" not in page
    hidden = Incident.objects.get(repository="finance/ledger")
    assert signed_in(company.charlie).get(f"/incidents/{hidden.pk}/").status_code == 404
    assert "finance/ledger:7.0.0" in signed_in(company.ada).get("/incidents/").content.decode()


def test_they_are_filtered_sorted_and_exported(company: Company, signed_in: SignIn, incident: Incident) -> None:
    browser = signed_in(company.ada)
    rows = browser.get("/incidents/?registry=ci-snapshots&state=open&q=PAY&format=json").json()["rows"]
    assert [(row["what"], row["detail"]) for row in rows] == [("payments/api:1.4.0", "1.4.0 is not named like pr-*")]
    assert "No incident fits" in browser.get("/incidents/?state=accepted").content.decode()
    assert browser.get("/incidents/?format=csv&sort=what").getvalue().decode().count("\r\n") == 3


def test_without_any_the_page_says_how_there_could_be_some(company: Company, signed_in: SignIn) -> None:
    assert "there are none yet" in signed_in(company.charlie).get("/incidents/").content.decode()


def test_a_maintainer_accepts_it_and_an_outsider_is_told_who_can(
    company: Company, signed_in: SignIn, incident: Incident
) -> None:
    address = f"/incidents/{incident.pk}/"
    page = signed_in(company.charlie).get(address).content.decode()
    assert "Whoever maintains team payments can accept it" in page
    answer = signed_in(company.charlie).post(f"{address}accept/", {"reason": "mine"})
    assert answer.status_code == 400
    assert "accepted by a maintainer of the team that owns the name" in answer.content.decode()
    Membership.objects.filter(user=company.alice).update(role="maintainer")
    alice = signed_in(company.alice)
    empty = alice.post(f"{address}accept/", {"reason": " "})
    assert "Say why it may stay" in empty.content.decode()
    alice.post(f"{address}accept/", {"reason": "the importer needs it"})
    page = alice.get(address).content.decode()
    assert "the importer needs it" in page
    assert "It may not stay after all" in page
    alice.post(f"{address}reopen/")
    incident.refresh_from_db()
    assert incident.state == "open"


def test_it_wants_attention_on_the_map_and_stands_on_its_repository(
    company: Company, signed_in: SignIn, incident: Incident
) -> None:
    assert f"/incidents/{incident.pk}/" in signed_in(company.ada).get("/").content.decode()
    assert f"/incidents/{incident.pk}/" not in signed_in(company.charlie).get("/").content.decode()
    assert (
        f"/incidents/{incident.pk}/" in signed_in(company.charlie).get("/r/ci-snapshots/payments/api/").content.decode()
    )


def test_the_admin_leads_to_where_it_is_accepted(company: Company, signed_in: SignIn, incident: Incident) -> None:
    page = signed_in(company.ada).get(f"/admin/sentinel/incident/{incident.pk}/change/").content.decode()
    assert f'href="/incidents/{incident.pk}/"' in page
