"""The policy is kept in the process and read again with every change, whoever makes it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from portal.actor import system
from registries.access.epoch import bump_epoch, current_epoch
from registries.access.explain import explain
from registries.access.models import AccessRule, Namespace, Restriction, SigningKey
from registries.access.principals import ANONYMOUS
from registries.access.queries import may, owner_team, rights_at
from registries.access.snapshot import current_snapshot
from registries.access.who import principal_of
from registries.topology.file import apply_topology, read_topology
from registries.topology.models import Registry, ZoneDefault
from tests.registries.access.cast import make_person, make_registry, make_robot, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)

CHANGES: dict[str, Callable[[Registry], object]] = {
    "rule": lambda registry: AccessRule.objects.create(zone=registry.zone),
    "default": lambda registry: ZoneDefault.objects.create(zone=registry.zone, audience="robots", action="delete"),
    "restriction": lambda registry: Restriction.objects.create(code="x", reason="x", starts_at=LONG_AGO),
    "namespace": lambda registry: Namespace.objects.create(zone=registry.zone, prefix="a", team=make_team("a")),
    "registry": lambda registry: make_registry("hub", "upstream", reach="observed"),
    "renamed": lambda registry: Registry.objects.get(pk=registry.pk).save(),
    "key": lambda registry: SigningKey.objects.get(registry=registry).delete(),
    "topology": lambda registry: apply_topology(
        system("topology"), read_topology("locations: {eu: {}}\nzones: {new: {kind: prod}}\n")
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_seen_at_once(change: str) -> None:
    registry = make_registry("ci-snapshots")
    before = current_snapshot()
    CHANGES[change](registry)
    assert current_snapshot() is not before
    assert current_snapshot() is current_snapshot()


def test_a_change_that_is_rolled_back_leaves_nothing_behind() -> None:
    registry = make_registry("prod")
    alice = make_person("alice")
    assert not may(alice, "pull", registry, "a")
    with transaction.atomic():
        AccessRule.objects.create(user=alice)
        assert may(alice, "pull", registry, "a")
        transaction.set_rollback(True)
    with transaction.atomic():
        AccessRule.objects.create(user=make_person("bob"))
    assert not may(alice, "pull", registry, "a")


def test_the_epoch_only_grows() -> None:
    seen = [current_epoch()]
    for _ in range(3):
        bump_epoch()
        seen.append(current_epoch())
    assert seen == sorted(set(seen))


def test_a_question_costs_one_query_when_nothing_has_changed(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    registry = make_registry("prod")
    explain(ANONYMOUS, "pull", registry, "a", LONG_AGO)
    with django_assert_num_queries(1):
        explain(ANONYMOUS, "pull", registry, "a", LONG_AGO)


def test_the_longest_prefix_owns_a_name() -> None:
    zone = make_registry("ci-snapshots").zone
    payments, shop = make_team("payments"), make_team("shop")
    Namespace.objects.create(zone=zone, prefix="payments", team=payments)
    Namespace.objects.create(zone=zone, prefix="payments/shared", team=shop)
    owners = {
        name: owner_team(zone, name) for name in ("payments", "payments/a", "payments/shared/x", "payments-b/a", "x")
    }
    assert owners == {
        "payments": payments, "payments/a": payments, "payments/shared/x": shop, "payments-b/a": None, "x": None,
    }  # fmt: skip
    assert owner_team(make_registry("prod").zone, "payments/a") is None


def test_rights_come_with_their_reasons() -> None:
    registry = make_registry("ci-snapshots")
    robot = make_robot("payments-ci", make_team("payments"))
    found = rights_at(robot, registry, "payments/tool")
    assert {action: answer.is_allowed for action, answer in found.items()} == {
        "pull": True,
        "push": True,
        "delete": False,
    }
    assert all(answer.reason for answer in found.values())
    assert principal_of(robot).is_ci


def test_a_cache_of_a_cache_of_itself_does_not_hang() -> None:
    hub = make_registry("hub", "upstream", reach="observed")
    cache = make_registry("cache-eu", "cache", fronts=hub)
    second = make_registry("cache-us", "cache", fronts=cache)
    Registry.objects.filter(pk=cache.pk).update(fronts=second)
    bump_epoch()
    assert not may(make_person("alice"), "pull", second, "a")
