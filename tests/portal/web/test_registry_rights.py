"""What may I do at each registry? The page says what the token endpoint would."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.users.models import Membership
from portal.web.registry_rights import ActionCell, rights_by_registry, sample_of
from registries.access.models import Namespace, Restriction
from registries.access.queries import may
from registries.topology.models import Registry
from tests.portal.web.cast import Company, registry, zone
from tests.portal.web.conftest import SignIn


def cell(company: Company, name: str, action: str) -> ActionCell:
    rows = {row.registry.name: row for row in rights_by_registry(company.alice)}
    return next(each for each in rows[name].cells if each.action == action)


def test_hard_rules_defaults_and_nothing(company: Company) -> None:
    assert cell(company, "sandbox", "push").word == "yes"
    assert cell(company, "prod", "push").word == "no"
    assert "promotion pipeline" in cell(company, "prod", "push").answer.reason
    assert cell(company, "prod", "pull").word == "no"
    assert cell(company, "prod", "pull").answer.fix


def test_a_rule_at_one_registry_shows_at_that_one_alone(company: Company) -> None:
    company.allow(company.alice, company.prod, "finance/*", reason="auditing in March")
    found = cell(company, "prod", "pull")
    assert found.word == "in part"
    assert [(right.pattern, right.answer.is_allowed) for right in found.others] == [("finance/*", True)]
    assert "auditing in March" in found.others[0].answer.reason
    assert cell(company, "prod-eu", "pull").word == "no"


def test_a_denial_and_a_restriction_are_taken_out_of_a_yes(company: Company) -> None:
    company.allow(company.alice, company.snapshots, "web/**", effect="deny")
    Restriction.objects.create(
        registry=company.snapshots, pattern="old/**", forbids_pull=True, reason="quarantined", code="quarantine",
        starts_at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip
    found = cell(company, "ci-snapshots", "pull")
    assert found.word == "in part"
    assert {right.pattern: right.answer.is_allowed for right in found.others} == {"web/**": False, "old/**": False}


def test_an_exception_from_a_wider_rule_shows_and_what_repeats_it_does_not(company: Company) -> None:
    company.allow(company.alice, company.prod, "finance/**")
    company.allow(company.alice, company.prod, "finance/ledger")
    company.allow(company.alice, company.prod, "finance/keys/**", effect="deny")
    found = cell(company, "prod", "pull")
    told = [(right.pattern, right.answer.is_allowed) for right in found.others]
    assert told == [("finance/**", True), ("finance/keys/**", False)]


def test_rules_that_are_over_or_speak_of_others_do_not_show(company: Company) -> None:
    company.allow(company.charlie, company.prod, "finance/*")
    company.allow(company.alice, company.prod, "old/*", ends_at=timezone.now() - timedelta(days=1))
    assert cell(company, "prod", "pull").others == ()


def test_what_ones_team_owns_shows_where_it_gives_something(company: Company) -> None:
    Namespace.objects.create(zone=company.sandbox.zone, prefix="payments", team=company.payments)
    assert cell(company, "sandbox", "delete").word == "no"
    Membership.objects.filter(user=company.alice).update(role="maintainer")
    found = cell(company, "sandbox", "delete")
    assert [right.pattern for right in found.others] == ["payments/**"]


def test_a_cache_gives_what_its_origin_gives(company: Company) -> None:
    registry("edge", zone("cache", 9), fronts=company.prod)
    company.allow(company.alice, company.prod, "finance/*")
    assert [right.pattern for right in cell(company, "edge", "pull").others] == ["finance/*"]
    edge = Registry.objects.get(name="edge")
    company.allow(company.alice, edge, "finance/*", effect="deny")
    assert cell(company, "edge", "pull").word == "no"
    assert cell(company, "prod", "pull").word == "in part", "the denial is about the cache"


def test_every_word_is_the_policys_own(company: Company) -> None:
    company.allow(company.alice, company.prod, "finance/**")
    company.allow(company.alice, company.prod, "finance/secret", effect="deny")
    for row in rights_by_registry(company.alice):
        for each in row.cells:
            for right in each.others:
                name = sample_of(right.pattern)
                assert may(company.alice, each.action, row.registry, name) is right.answer.is_allowed


def test_many_rules_are_counted_instead_of_shown(company: Company) -> None:
    for number in range(15):
        company.allow(company.alice, company.prod, f"team-{number}/*")
    found = cell(company, "prod", "pull")
    assert (len(found.others), found.more) == (12, 3)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("a/*", "a/x"), ("a/**", "a/x"), ("**/b", "x/b"), ("a?", "ax"), ("a", "a"), ("A/*", ""), ("a b", ""), ("*-", "")],
)
def test_a_pattern_is_tried_with_a_name_it_means(pattern: str, name: str) -> None:
    assert sample_of(pattern) == name


def test_the_page_shows_it_on_request(company: Company, signed_in: SignIn) -> None:
    company.allow(company.alice, company.prod, "finance/*", reason="auditing in March")
    Registry.objects.filter(name="prod-eu").update(reach="observed")
    page = signed_in(company.alice).get("/my/access/?by=registry").content.decode()
    assert "finance/*" in page
    assert "does not ask the portal" in page
    assert 'href="/my/access/#rights">By zone' in page
    assert "By registry" in signed_in(company.alice).get("/my/access/").content.decode()
