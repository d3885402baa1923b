"""Pages about names: what nobody owns, a naming rule on trial, a zone and what holds in it, what is stopped."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from portal.audit.models import AuditEvent
from portal.users.models import Role, Team
from registries.access.counts.record_models import AccessUse
from registries.access.models import Namespace, Restriction
from registries.access.naming_rules.naming_models import NamingRule
from registries.catalog.models import Repository
from tests.portal.web.cast import Company, person
from tests.portal.web.conftest import SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


def test_what_nobody_owns_is_listed_with_who_pushed_there(company: Company, signed_in: SignIn) -> None:
    AccessUse.objects.create(
        fingerprint="x", day=date(2026, 11, 27), registry=company.sandbox, principal="alice", repository="alice/try",
        granted="pull,push", last_at=timezone.now(),
    )  # fmt: skip
    page = signed_in(company.ada).get("/names/unowned/").content.decode()
    assert ">finance</a>" in page
    assert ">alice</a>" in page
    assert ">payments</a>" not in page
    assert "<td>alice" in page
    rows = signed_in(company.ada).get("/names/unowned/?format=json&sort=head").json()["rows"]
    assert [(row["head"], row["registry"], row["repositories"], row["pushers"]) for row in rows] == [
        ("alice", "sandbox", 1, "alice"), ("finance", "prod", 1, ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "sort", ["head", "-head", "registry", "zone", "-repositories", "size_bytes", "-moved", "moved"]
)
def test_it_pages_through_in_any_order_and_misses_nothing(company: Company, signed_in: SignIn, sort: str) -> None:
    Repository.objects.bulk_create(
        Repository(registry=company.snapshots, name=f"h{number:03}/app", size_bytes=number % 3) for number in range(60)
    )
    browser, address, seen = signed_in(company.ada), f"/names/unowned/?registry=ci-snapshots&sort={sort}", []
    while address:
        listing = browser.get(address).context["listing"]
        seen += [row.head for row in listing.rows]
        address = f"/names/unowned/{listing.next_address}" if listing.next_address else ""
    assert sorted(seen) == [f"h{number:03}" for number in range(60)]


def test_it_costs_as_much_for_many_as_for_few(
    company: Company, signed_in: SignIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    browser = signed_in(company.ada)
    with CaptureQueriesContext(connection) as few:
        browser.get("/names/unowned/")
    Repository.objects.bulk_create(
        Repository(registry=company.snapshots, name=f"h{number:03}/app") for number in range(200)
    )
    with django_assert_max_num_queries(len(few)):
        browser.get("/names/unowned/")


def test_an_admin_gives_names_to_a_team_with_one_click(company: Company, signed_in: SignIn) -> None:
    form = {"zone": "prod", "head": "finance", "team": "payments", "query": "zone=prod"}
    answer = signed_in(company.ada).post("/names/unowned/claim/", form, follow=True)
    assert answer.redirect_chain[-1][0] == "/names/unowned/?zone=prod"
    assert "Team payments owns finance in prod from now on." in answer.content.decode()
    assert Namespace.objects.get(prefix="finance").team == company.payments
    assert AuditEvent.objects.get(verb="namespace.claimed").actor_name == "ada"
    again = signed_in(company.ada).post("/names/unowned/claim/", form, follow=True).content.decode()
    assert "has an owner by now" in again
    without = signed_in(company.ada).post("/names/unowned/claim/", {**form, "team": "", "head": "x"}, follow=True)
    assert "Choose the team" in without.content.decode()


def test_the_way_back_stays_here(company: Company, signed_in: SignIn) -> None:
    form = {"zone": "prod", "head": "finance", "team": "payments", "query": "//evil.example/"}
    assert signed_in(company.ada).post("/names/unowned/claim/", form)["Location"].startswith("/names/unowned/?")


def test_others_with_a_role_look_and_outsiders_do_not(company: Company, signed_in: SignIn) -> None:
    audrey = person("audrey", Role.AUDITOR)
    assert "Names are given to teams by platform admins" in signed_in(audrey).get("/names/unowned/").content.decode()
    form = {"zone": "prod", "head": "finance", "team": "payments"}
    assert signed_in(audrey).post("/names/unowned/claim/", form).status_code == 403
    for user in (company.alice, company.charlie):
        answer = signed_in(user).get("/names/unowned/")
        assert answer.status_code == 403
        assert "people with a role" in answer.content.decode()
    assert not Namespace.objects.filter(prefix="finance").exists()


def test_where_all_is_owned_the_page_says_so(company: Company, signed_in: SignIn) -> None:
    Namespace.objects.create(zone=company.prod.zone, prefix="finance", team=company.payments)
    Namespace.objects.create(zone=company.sandbox.zone, prefix="alice", team=company.payments)
    assert "Every name has an owner" in signed_in(company.ada).get("/names/unowned/").content.decode()
    assert "Look everywhere" in signed_in(company.ada).get("/names/unowned/?q=nothing").content.decode()


@pytest.fixture
def rule(company: Company) -> NamingRule:
    zone = company.snapshots.zone
    return NamingRule.objects.create(zone=zone, subject="tag", names=["pr-*"], is_enabled=False)


def test_a_naming_rule_is_tried_and_then_switched_on(company: Company, signed_in: SignIn, rule: NamingRule) -> None:
    browser, address = signed_in(company.ada), f"/names/rules/{rule.pk}/"
    page = browser.get(address).content.decode()
    assert "What it would find in the catalog" in page
    assert "ci-snapshots/payments/api:1.4.0" in page
    browser.post(address, {"is_enabled": "1"})
    rule.refresh_from_db()
    assert rule.is_enabled
    assert AuditEvent.objects.get(verb="namingrule.changed").detail == {"fields": ["is_enabled"], "is_enabled": True}
    assert "What it finds in the catalog" in browser.get(address).content.decode()
    assert f'href="{address}"' in browser.get(f"/admin/access/namingrule/{rule.pk}/change/").content.decode()


def test_who_may_not_switch_a_rule_is_told_who_does(company: Company, signed_in: SignIn, rule: NamingRule) -> None:
    page = signed_in(company.rita).get(f"/names/rules/{rule.pk}/").content.decode()
    assert "Platform admins switch naming rules on and off." in page
    assert signed_in(company.rita).post(f"/names/rules/{rule.pk}/", {"is_enabled": "1"}).status_code == 403
    assert signed_in(company.alice).get(f"/names/rules/{rule.pk}/").status_code == 403
    rule.refresh_from_db()
    assert not rule.is_enabled


def test_a_zone_says_who_may_do_what_in_it(company: Company, signed_in: SignIn, rule: NamingRule) -> None:
    page = signed_in(company.charlie).get("/zones/ci-snapshots/").content.decode()
    for said in (
        "Strangers, people and robots for consumers never push, whatever rules say.",
        "Robots of kind CI may <strong>push</strong>", "<code>pr-*</code>",
        "<code>payments/…</code>", "Payments",
    ):  # fmt: skip
        assert said in page, said
    assert "What nobody owns" not in page
    assert "What nobody owns" in signed_in(company.ada).get("/zones/ci-snapshots/").content.decode()
    prod = signed_in(company.charlie).get("/zones/prod/").content.decode()
    assert "Nobody may push, whatever rules say: neither people nor robots." in prod
    assert "Nobody may do anything without a rule that says so." in prod
    assert signed_in(company.charlie).get("/zones/nowhere/").status_code == 404


def test_a_zone_of_keyless_ci_says_so(company: Company, signed_in: SignIn) -> None:
    company.snapshots.zone.requires_keyless = True
    company.snapshots.zone.save()
    page = signed_in(company.charlie).get("/zones/ci-snapshots/").content.decode()
    assert "keyless CI only" in page
    assert "CI with a stored secret never push" in page


@pytest.mark.parametrize("path", ["/registries/prod/", "/r/prod/payments/api/", "/zones/prod/"])
def test_what_is_stopped_stands_on_the_pages_it_is_about(company: Company, signed_in: SignIn, path: str) -> None:
    company.allow(company.alice, company.prod, "payments/**")
    row = Restriction.objects.create(
        zone=company.prod.zone, pattern="payments/**", code="freeze", reason="the year is closed",
        starts_at=timezone.now(), ends_at=timezone.now() + timedelta(days=2),
    )  # fmt: skip
    page = signed_in(company.alice).get(path).content.decode()
    assert "Pushes are stopped for payments/**" in page
    assert "because: the year is closed" in page
    assert "Platform admins and security can end it." in page
    assert "UTC, <time" in page
    browser = signed_in(company.ada)
    assert f"/restrictions/{row.pk}/end/" in browser.get(path).content.decode()
    answer = browser.post(f"/restrictions/{row.pk}/end/", {"back": path})
    assert answer["Location"] == path
    assert "are stopped" not in browser.get(path).content.decode()


def test_what_is_stopped_elsewhere_is_not_told(company: Company, signed_in: SignIn) -> None:
    Restriction.objects.create(
        registry=company.prod, pattern="shop/**", code="freeze", reason="x", starts_at=timezone.now()
    )
    page = signed_in(company.ada).get("/r/prod/payments/api/").content.decode()
    assert "are stopped" not in page
    assert "are stopped for shop/**" in signed_in(company.ada).get("/registries/prod/").content.decode()


def test_ending_leads_to_no_foreign_place(company: Company, signed_in: SignIn) -> None:
    row = Restriction.objects.create(code="freeze", reason="x", starts_at=timezone.now())
    answer = signed_in(company.ada).post(f"/restrictions/{row.pk}/end/", {"back": "https://evil.example/"})
    assert answer["Location"] == "/"
    assert signed_in(company.ada).get(f"/restrictions/{row.pk}/end/").status_code == 405


def test_admin_rows_lead_to_their_zone(company: Company, signed_in: SignIn) -> None:
    row, zone = Namespace.objects.filter(zone=company.prod.zone).get(), company.prod.zone
    assert Team.objects.count() == 1
    for address in (f"/admin/access/namespace/{row.pk}/change/", f"/admin/topology/zone/{zone.pk}/change/"):
        assert 'href="/zones/prod/"' in signed_in(company.ada).get(address).content.decode()
