"""What may be seen agrees with what may be pulled, name by name."""

from itertools import product

import pytest
from django.utils import timezone

from portal.users.accounts import grant_role
from portal.users.models import Role, User
from registries.access.models import AccessRule, Namespace, RobotAccount
from registries.access.queries import may, visible_repositories
from registries.catalog.models import Repository
from registries.topology.models import Reach
from tests.registries.access.cast import ADMIN, ALL_KINDS, make_person, make_registry, make_robot, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]
NAMES = ["payments", "payments/tool", "payments/a/b", "payments-b/x", "Payments/x", "shop/web", "library/alpine"]


@pytest.fixture
def repositories() -> list[Repository]:
    registries = [make_registry(kind, kind, reach=Reach.OBSERVED) for kind in ALL_KINDS if kind != "cache"]
    registries.append(make_registry("cache-eu", "cache", fronts=registries[0], reach=Reach.OBSERVED))
    prod = next(registry for registry in registries if registry.name == "prod")
    registries.append(make_registry("cache-prod", "cache", fronts=prod, reach=Reach.OBSERVED))
    return [Repository.objects.create(registry=registry, name=name) for registry, name in product(registries, NAMES)]


@pytest.fixture
def cast() -> list[User | RobotAccount]:
    alice, charlie = make_person("alice"), make_person("charlie")
    team = make_team("payments", alice)
    return [alice, charlie, make_robot("payments-ci", team), make_robot("shop", make_team("shop"), "consumer")]


def agree(subject: User | RobotAccount, repositories: list[Repository]) -> None:
    seen = set(Repository.objects.filter(visible_repositories(subject)).values_list("pk", flat=True))
    pulled = {row.pk for row in repositories if may(subject, "pull", row.registry, row.name)}
    # A name that no registry should hold is seen and never granted.
    odd = {row.pk for row in repositories if row.name == "Payments/x"}
    assert seen - odd == pulled


def test_seen_is_what_may_be_pulled(repositories: list[Repository], cast: list[User | RobotAccount]) -> None:
    for subject in cast:
        agree(subject, repositories)


def test_with_rules_that_allow_and_deny(repositories: list[Repository], cast: list[User | RobotAccount]) -> None:
    prod = next(row.registry for row in repositories if row.registry.name == "prod")
    payments = make_team("payments")
    AccessRule.objects.create(team=payments, zone=prod.zone, pattern="payments/**")
    AccessRule.objects.create(registry=prod, pattern="shop/*")
    AccessRule.objects.create(effect="deny", team=payments, pattern="payments/*")
    AccessRule.objects.create(effect="deny", pattern="library/**", zone=repositories[0].registry.zone)
    AccessRule.objects.create(team=payments, pattern="**", ends_at=timezone.now())
    for subject in cast:
        agree(subject, repositories)


def test_a_team_sees_what_it_owns(repositories: list[Repository], cast: list[User | RobotAccount]) -> None:
    prod = next(row.registry for row in repositories if row.registry.name == "prod")
    Namespace.objects.create(zone=prod.zone, prefix="payments", team=make_team("payments"))
    seen = Repository.objects.filter(visible_repositories(cast[0]), registry=prod)
    assert {row.name for row in seen} == {"payments", "payments/tool", "payments/a/b"}
    assert not Repository.objects.filter(visible_repositories(cast[1]), registry=prod).exists()


def test_people_with_a_role_see_everything(repositories: list[Repository]) -> None:
    olga = make_person("olga")
    grant_role(ADMIN, olga, Role.AUDITOR)
    assert Repository.objects.filter(visible_repositories(olga)).count() == len(repositories)
