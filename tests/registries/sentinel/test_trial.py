"""A rule on names is tried against the catalog before it is switched on."""

import pytest
from django.utils import timezone

from registries.access.naming_rules.naming import naming_of, tag_fault
from registries.access.naming_rules.naming_models import NamingRule
from registries.catalog.models import Repository, Tag
from registries.sentinel.trial import SHOWN, try_rule
from registries.topology.models import Registry
from tests.portal.web.cast import index
from tests.registries.access.cast import make_registry

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]
NAMES = ["payments/api", "payments/api/deep", "Payments/api", "lone", "shop/web", "a.b/c", "axb/c"]
TAGS = ["latest", "pr-1", "PR-1", "v1.0", "v1x0", "pr/1", f"sha256-{'0' * 64}.sig"]


@pytest.fixture
def ci() -> Registry:
    return make_registry("ci-snapshots")


def rule(ci: Registry, subject: str, names: list[str], pattern: str = "**") -> NamingRule:
    return NamingRule.objects.create(zone=ci.zone, subject=subject, names=names, pattern=pattern, is_enabled=False)


@pytest.mark.parametrize("pattern", ["**", "payments/**", "*/*", "a.b/*"])
@pytest.mark.parametrize("names", [["*/*"], ["payments/**", "lone"], ["a.b/c"]])
def test_it_finds_what_the_rule_will_refuse(ci: Registry, pattern: str, names: list[str]) -> None:
    Repository.objects.bulk_create(Repository(registry=ci, name=name) for name in NAMES)
    Repository.objects.create(registry=make_registry("ci-tests"), name="elsewhere")
    made = rule(ci, "repository", names, pattern)
    value = naming_of(made)
    found = try_rule(made)
    assert set(found.first) == {f"ci-snapshots/{name}" for name in NAMES if value.fault(name)}
    assert found.misfits == len(found.first)


@pytest.mark.parametrize("names", [["pr-*"], ["v1.0", "latest"], ["**"]])
def test_it_finds_the_tags_that_will_be_incidents(ci: Registry, names: list[str]) -> None:
    repository, at = Repository.objects.create(registry=ci, name="payments/api"), timezone.now()
    Tag.objects.bulk_create(
        Tag(repository=repository, name=name, manifest=index("x"), first_seen_at=at, moved_at=at) for name in TAGS
    )
    made = rule(ci, "tag", names)
    wrong = {f"ci-snapshots/payments/api:{tag}" for tag in TAGS if tag_fault([naming_of(made)], "payments/api", tag)[0]}
    assert set(try_rule(made).first) == wrong
    assert try_rule(made).looked_at == len(TAGS) - 1


def test_it_counts_all_and_shows_the_first(ci: Registry) -> None:
    Repository.objects.bulk_create(Repository(registry=ci, name=f"r{number:03}") for number in range(50))
    found = try_rule(rule(ci, "repository", ["*/*"]))
    assert (found.looked_at, found.misfits, len(found.first)) == (50, 50, SHOWN)
    assert found.first[0] == "ci-snapshots/r000"
