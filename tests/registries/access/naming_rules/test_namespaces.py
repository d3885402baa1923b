"""Names change hands: claimed, handed over, released; and rest until the tokens made before are past."""

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.users.accounts import grant_role
from portal.users.models import Role, Team, User
from registries.access.explain import explain
from registries.access.models import Namespace, Restriction
from registries.access.naming_rules.namespaces import (
    KEPT,
    QUARANTINE,
    claim_namespace,
    forget_old_quarantines,
    hand_over_namespace,
    overlapping,
    release_namespace,
    with_wider,
)
from registries.access.principals import system_principal
from registries.access.tasks import flush_counters
from registries.access.tokens import LIFE_SECONDS
from registries.access.who import principal_of
from registries.topology.file import TopologyFileError, apply_topology, read_topology
from registries.topology.models import Registry
from tests.registries.access.cast import ADMIN, make_person, make_registry, make_robot, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


@pytest.fixture
def ci() -> Registry:
    return make_registry("ci-snapshots")


@pytest.fixture
def payments() -> Team:
    return make_team("payments")


@pytest.fixture
def shop() -> Team:
    return make_team("shop")


def word(team: Team, action: str, registry: Registry, name: str, at: datetime) -> str:
    """What the team's robot hears: "yes", or the code of the no."""
    robot = team.robots.first() or make_robot(f"{team.name}-ci", team)
    found = explain(principal_of(robot), action, registry, name, at)
    return "yes" if found.is_allowed else found.code


def test_a_claim_counts_at_once_and_others_push_there_no_more(ci: Registry, payments: Team, shop: Team) -> None:
    now = timezone.now()
    assert word(shop, "push", ci, "payments/api", now) == "yes"
    claim_namespace(ADMIN, ci.zone, "payments", payments)
    assert word(payments, "push", ci, "payments/api", now) == "yes"
    assert word(shop, "push", ci, "payments/api", now) == "owned_by_other"
    assert word(shop, "push", ci, "payments-b/api", now) == "yes"
    assert not Restriction.objects.exists()
    assert AuditEvent.objects.get(verb="namespace.claimed").detail == {"team": "payments"}


@pytest.mark.parametrize("prefix", ["payments/", "/payments", "Payments", "pay*", "", "payments//api", "a b", "**"])
def test_what_is_no_beginning_of_names_owns_nothing(ci: Registry, payments: Team, prefix: str) -> None:
    with pytest.raises(ValidationError):
        claim_namespace(ADMIN, ci.zone, prefix, payments)
    assert not Namespace.objects.exists()


def test_released_names_rest_for_everybody_until_tokens_made_before_are_past(
    ci: Registry, payments: Team, shop: Team
) -> None:
    release_namespace(ADMIN, claim_namespace(ADMIN, ci.zone, "payments", payments))
    rest = Restriction.objects.get()
    now = rest.starts_at
    assert rest.ends_at == now + QUARANTINE
    assert timedelta(seconds=LIFE_SECONDS + 60) < QUARANTINE <= timedelta(minutes=10)
    assert not Namespace.objects.exists()
    for name in ("payments", "payments/api", "payments/api/deep"):
        assert {word(payments, action, ci, name, now) for action in ("pull", "push")} == {"released_name"}
    assert explain(system_principal("cleaner"), "delete", ci, "payments/api", now).code == "released_name"
    assert word(shop, "push", ci, "payments-b", now) == "yes"
    last = rest.ends_at - timedelta(seconds=1)
    assert word(shop, "pull", ci, "payments/api", last) == "released_name"
    assert word(shop, "pull", ci, "payments/api", rest.ends_at) == "yes"
    assert {event.verb for event in AuditEvent.objects.all()} >= {"namespace.released", "restriction.created"}


def test_the_rest_is_kept_to_its_zone(ci: Registry, payments: Team) -> None:
    tests = make_registry("ci-tests")
    release_namespace(ADMIN, claim_namespace(ADMIN, ci.zone, "payments", payments))
    assert word(payments, "pull", tests, "payments/api", timezone.now()) == "yes"


def test_a_claim_within_a_rest_works_and_pushes_wait_with_the_reason(ci: Registry, payments: Team, shop: Team) -> None:
    release_namespace(ADMIN, claim_namespace(ADMIN, ci.zone, "payments", payments))
    claim_namespace(ADMIN, ci.zone, "payments", shop)
    rest = Restriction.objects.get()
    robot = make_robot("shop-push", shop)
    found = explain(principal_of(robot), "push", ci, "payments/api", timezone.now())
    assert found.code == "released_name"
    assert "team payments released the names payments" in found.reason
    assert f"{rest.ends_at:%H:%M}" in found.reason
    assert rest.ends_at is not None
    assert explain(principal_of(robot), "push", ci, "payments/api", rest.ends_at).is_allowed


def test_handed_over_names_take_no_push_for_a_while_and_pulls_go_on(ci: Registry, payments: Team, shop: Team) -> None:
    row = claim_namespace(ADMIN, ci.zone, "payments", payments)
    hand_over_namespace(ADMIN, row, shop)
    now = timezone.now()
    assert (row.team, Namespace.objects.get().team) == (shop, shop)
    assert {word(team, "push", ci, "payments/api", now) for team in (payments, shop)} == {"released_name"}
    assert word(shop, "pull", ci, "payments/api", now) == "yes"
    assert word(shop, "push", ci, "payments/api", now + QUARANTINE) == "yes"
    assert word(payments, "push", ci, "payments/api", now + QUARANTINE) == "owned_by_other"
    event = AuditEvent.objects.get(verb="namespace.handed_over")
    assert event.detail == {"before": "payments", "team": "shop"}


def test_to_the_same_team_nothing_is_handed_over(ci: Registry, payments: Team) -> None:
    hand_over_namespace(ADMIN, claim_namespace(ADMIN, ci.zone, "payments", payments), payments)
    assert not Restriction.objects.exists()


def test_what_is_cut_out_of_another_teams_names_rests_as_well(ci: Registry, payments: Team, shop: Team) -> None:
    """The wider team's tokens for it are still good."""
    claim_namespace(ADMIN, ci.zone, "payments", payments)
    inner = claim_namespace(ADMIN, ci.zone, "payments/shop", shop)
    now = timezone.now()
    assert word(shop, "push", ci, "payments/shop/web", now) == "released_name"
    assert word(payments, "push", ci, "payments/api", now) == "yes"
    assert [row.prefix for row in overlapping(ci.zone, "payments/shop", shop)] == ["payments"]
    assert [row.prefix for row in overlapping(ci.zone, "payments", payments)] == ["payments/shop"]
    found = with_wider(Namespace.objects.all()).get(pk=inner.pk)
    assert (found.wider, found.wider_team) == ("payments", "payments")


def test_within_ones_own_names_nothing_rests(ci: Registry, payments: Team) -> None:
    claim_namespace(ADMIN, ci.zone, "payments", payments)
    claim_namespace(ADMIN, ci.zone, "payments/api", payments)
    assert not Restriction.objects.exists()
    assert overlapping(ci.zone, "payments/api", payments) == []


def test_neighbours_are_not_taken_for_wider_names(ci: Registry, payments: Team, shop: Team) -> None:
    for prefix, team in (("a", payments), ("a-b", shop), ("a/b", payments), ("a/b/c", shop), ("a/bc", shop)):
        claim_namespace(ADMIN, ci.zone, prefix, team)
    found = {row.prefix: row.wider for row in with_wider(Namespace.objects.all())}
    assert found == {"a": None, "a-b": None, "a/b": "a", "a/b/c": "a/b", "a/bc": "a"}


def test_rests_that_are_long_over_are_forgotten_and_others_kept(ci: Registry, payments: Team) -> None:
    release_namespace(ADMIN, claim_namespace(ADMIN, ci.zone, "payments", payments))
    ended = timezone.now() - KEPT - timedelta(days=1)
    Restriction.objects.create(
        zone=ci.zone, code="freeze", reason="by hand", starts_at=ended - timedelta(days=1), ends_at=ended
    )
    assert forget_old_quarantines(timezone.now()) == 0
    Restriction.objects.filter(code="released_name").update(ends_at=ended)
    flush_counters()
    assert [row.code for row in Restriction.objects.all()] == ["freeze"]


@pytest.fixture
def ada() -> User:
    user = make_person("ada")
    grant_role(ADMIN, user, Role.PLATFORM_ADMIN)
    return user


def test_the_admin_claims_hands_over_and_releases(
    client: Client, ada: User, ci: Registry, payments: Team, shop: Team
) -> None:
    client.force_login(ada)
    base = "/admin/access/namespace/"
    form = {"zone": ci.zone_id, "prefix": "payments", "team": payments.pk}
    assert client.post(f"{base}add/", form).status_code == 302
    row = Namespace.objects.get()
    page = client.post(f"{base}{row.pk}/change/", {"team": shop.pk, "prefix": "elsewhere"}, follow=True)
    row.refresh_from_db()
    assert (row.prefix, row.team) == ("payments", shop)
    assert "Pushes to payments/** wait until" in page.content.decode()
    inside = client.post(f"{base}add/", {**form, "prefix": "payments/api"}, follow=True).content.decode()
    assert "payments belongs to team shop" in inside
    assert "payments/api is apart from the rest of payments" in inside
    assert "payments, of shop" in client.get(base).content.decode()
    chosen = {
        "action": "delete_selected",
        "_selected_action": [row.pk for row in Namespace.objects.all()],
        "post": "yes",
    }
    client.post(base, chosen)
    assert not Namespace.objects.exists()
    assert AuditEvent.objects.filter(verb="namespace.released", actor_name="ada").count() == 2
    assert not AuditEvent.objects.filter(
        verb__in=["namespace.created", "namespace.changed", "namespace.deleted"]
    ).exists()
    assert Restriction.objects.filter(forbids_pull=True).count() == 2


def test_one_is_released_from_its_page(client: Client, ada: User, ci: Registry, payments: Team) -> None:
    client.force_login(ada)
    row = claim_namespace(ADMIN, ci.zone, "payments", payments)
    assert client.post(f"/admin/access/namespace/{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert Restriction.objects.get().pattern == "payments/**"


TOPOLOGY = """
teams: {payments: {}, shop: {}}
zones: {ci-snapshots: {kind: ci-snapshots}}
namespaces: {ci-snapshots/payments: {team: %s}}
"""


def test_a_topology_file_claims_and_hands_over(payments: Team, shop: Team) -> None:
    apply_topology(ADMIN, read_topology(TOPOLOGY % "payments"))
    assert not Restriction.objects.exists()
    apply_topology(ADMIN, read_topology(TOPOLOGY % "payments"))
    assert not Restriction.objects.exists()
    apply_topology(ADMIN, read_topology(TOPOLOGY % "shop"))
    assert Namespace.objects.get().team == shop
    assert Restriction.objects.get().forbids_push
    with pytest.raises(TopologyFileError, match="no team named nobody"):
        apply_topology(ADMIN, read_topology(TOPOLOGY % "nobody"))
