"""Which names does nobody own? Counted by the database, claimed with a click."""

from datetime import date, timedelta

import pytest
from django.db.models import F
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from registries.access.counts.record_models import AccessUse
from registries.access.models import Namespace
from registries.access.snapshot import read_policy
from registries.catalog.models import Repository
from registries.catalog.unowned import first_parts, is_unowned, pushers_of, unowned_groups, without_owner
from registries.topology.models import Registry
from tests.registries.access.cast import make_registry, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


@pytest.fixture
def ci() -> Registry:
    return make_registry("ci-snapshots")


def fill(registry: Registry, *names: str, size: int = 10) -> None:
    Repository.objects.bulk_create(Repository(registry=registry, name=name, size_bytes=size) for name in names)


def own(registry: Registry, *prefixes: str) -> None:
    team = make_team("payments")
    for prefix in prefixes:
        Namespace.objects.create(zone=registry.zone, prefix=prefix, team=team)


def heads(**narrowed: str) -> dict[str, int]:
    return {row.key: row.repositories for row in unowned_groups(**narrowed)}


def test_what_a_prefix_covers_is_owned_and_neighbours_are_not(ci: Registry) -> None:
    fill(ci, "payments", "payments/api", "payments-b/api", "paymentsx", "payments_b", "shop/web", "shop/x/deep", "lone")
    own(ci, "payments", "shop/x")
    assert heads() == {
        "ci-snapshots/payments-b": 1, "ci-snapshots/paymentsx": 1, "ci-snapshots/payments_b": 1, "ci-snapshots/shop": 1,
        "ci-snapshots/lone": 1,
    }  # fmt: skip


def test_where_nobody_owns_anything_all_is_listed_with_its_size(ci: Registry) -> None:
    fill(ci, "a/b", "a/c", "b")
    found = {row.head: (row.repositories, row.bytes, row.zone_name) for row in unowned_groups()}
    assert found == {"a": (2, 20, "ci-snapshots"), "b": (1, 10, "ci-snapshots")}


def test_a_namespace_counts_in_its_zone_alone(ci: Registry) -> None:
    prod = make_registry("prod")
    fill(ci, "payments/api")
    fill(prod, "payments/api")
    own(ci, "payments")
    assert heads() == {"prod/payments": 1}
    assert heads(zone="ci-snapshots") == {}
    assert heads(registry="prod", text="PAY") == {"prod/payments": 1}
    assert heads(text="shop") == {}


def test_what_is_gone_is_nobodys_trouble(ci: Registry) -> None:
    Repository.objects.create(registry=ci, name="old/app", absent_since=timezone.now())
    assert heads() == {}
    assert not is_unowned(ci.zone_id, "old")


def test_something_left_over_under_a_first_part(ci: Registry) -> None:
    fill(ci, "shop/web", "shop/x/deep")
    own(ci, "shop/x")
    assert is_unowned(ci.zone_id, "shop")
    own(ci, "shop/web")
    assert not is_unowned(ci.zone_id, "shop")


def test_who_pushed_there_lately_the_latest_first(ci: Registry) -> None:
    fill(ci, "shop/web", "shop-b")
    now = timezone.now()
    rows = [
        ("alice", "shop/web", "pull,push", 3),
        ("bob", "shop/web", "pull", 1),
        ("robot.ci", "shop", "push", 2),
        ("carl", "shop-b", "push", 1),
    ]
    for number, (who, name, granted, hours) in enumerate(rows):
        AccessUse.objects.create(
            fingerprint=str(number), day=date(2026, 11, 27), registry=ci, principal=who, repository=name, granted=granted,
            last_at=now - timedelta(hours=hours),
        )  # fmt: skip
    groups = list(unowned_groups())
    assert pushers_of(groups) == {"ci-snapshots/shop": ["robot.ci", "alice"], "ci-snapshots/shop-b": ["carl"]}


PARTS = st.lists(st.sampled_from(["a", "b", "a-b", "ab", "a.b"]), min_size=1, max_size=5).map("/".join)


class AgreesWithThePolicy(TestCase):
    """Whatever the names and prefixes: the database says what the policy says."""

    @given(names=st.sets(PARTS, max_size=8), prefixes=st.sets(PARTS, max_size=4))
    def test_nobody_owns_it_exactly_where_the_policy_finds_no_owner(self, names: set[str], prefixes: set[str]) -> None:
        ci = Registry.objects.filter(name="ci-snapshots").first() or make_registry("ci-snapshots")
        fill(ci, *names)
        own(ci, *prefixes)
        found = set(without_owner(Repository.objects.all()).values_list("name", flat=True))
        policy = read_policy()
        assert found == {name for name in names if policy.owner_of(ci.zone_id, name) is None}


@pytest.mark.parametrize(("parts", "text"), [(1, "a"), (2, "a/bc"), (3, "a/bc/d"), (5, "a/bc/d")])
def test_the_first_parts_of_a_name(ci: Registry, parts: int, text: str) -> None:
    fill(ci, "a/bc/d")
    assert Repository.objects.annotate(first=first_parts(F("name"), parts)).get().first == text
