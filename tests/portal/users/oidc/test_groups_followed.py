"""Teams and roles follow the groups at every sign-in, in both directions, and each change leaves an event."""

from typing import Any

import pytest

from portal.actor import system
from portal.audit.models import AuditEvent
from portal.oidc_settings import OidcProvider
from portal.users.accounts import create_person, grant_role, join_team
from portal.users.models import Membership, Role, RoleGrant, Team, User
from tests.fakes.identity_provider import FakeProvider
from tests.portal.users.oidc.conftest import SetUp
from tests.portal.users.oidc.traveller import Traveller

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]
SETUP = system("tester")


@pytest.fixture
def payments() -> Team:
    return Team.objects.create(name="payments", external_group="grp-payments")


def come(company: FakeProvider, groups: Any) -> User:
    company.knows("alice", groups=groups)
    assert Traveller().sign_in().status_code == 302
    return User.objects.get(username="alice")


def teams(person: User) -> dict[str, str]:
    return dict(Membership.objects.filter(user=person).values_list("team__name", "role"))


def events(*verbs: str) -> list[tuple[str, str]]:
    rows = AuditEvent.objects.filter(verb__in=verbs, actor_name="oidc:company").order_by("pk")
    return [(row.verb, row.object_name) for row in rows]


def test_a_group_brings_into_the_team_and_leaving_it_out_again(company: FakeProvider, payments: Team) -> None:
    alice = come(company, ["staff", "grp-payments"])
    assert teams(alice) == {"payments": "member"}
    come(company, ["staff", "grp-payments"])
    come(company, ["staff"])
    assert teams(alice) == {}
    assert events("team.joined", "team.left") == [("team.joined", "payments"), ("team.left", "payments")]
    assert AuditEvent.objects.get(verb="team.left").detail == {"person": "alice", "group": "grp-payments"}


def test_an_empty_list_of_groups_is_known_to_be_empty(company: FakeProvider, payments: Team) -> None:
    alice = come(company, ["grp-payments"])
    come(company, [])
    assert teams(alice) == {}


@pytest.mark.parametrize("groups", [None, "grp-payments", "", 7, {"grp-payments": True}, ["grp-payments", 7], [["x"]]])
def test_unknown_groups_change_nothing_and_are_said(company: FakeProvider, payments: Team, groups: object) -> None:
    alice = come(company, ["grp-payments"])
    come(company, groups)
    assert teams(alice) == {"payments": "member"}
    assert events("groups.unknown") == [("groups.unknown", "alice")]


def test_where_nothing_hangs_on_groups_their_absence_is_no_event(company: FakeProvider) -> None:
    come(company, None)
    assert not events("groups.unknown")


def test_what_was_given_by_hand_in_other_teams_stays(company: FakeProvider, payments: Team) -> None:
    alice = come(company, ["grp-payments"])
    join_team(SETUP, Team.objects.create(name="shop"), alice, as_maintainer=True)
    come(company, [])
    assert teams(alice) == {"shop": "maintainer"}


def test_people_with_a_password_are_in_their_teams_by_hand(company: FakeProvider, payments: Team) -> None:
    bob = create_person(SETUP, "bob", "bob@corp.example", "correct horse battery")
    join_team(SETUP, payments, bob)
    come(company, ["grp-payments"])
    assert teams(bob) == {"payments": "member"}


def test_a_maintainer_by_hand_stays_one_where_no_group_says_otherwise(company: FakeProvider, payments: Team) -> None:
    alice = come(company, ["grp-payments"])
    join_team(SETUP, payments, alice, as_maintainer=True)
    come(company, ["grp-payments"])
    assert teams(alice) == {"payments": "maintainer"}


def test_maintainers_by_group_come_and_go(company: FakeProvider, payments: Team) -> None:
    Team.objects.update(external_maintainer_group="grp-payments-leads")
    alice = come(company, ["grp-payments-leads"])
    assert teams(alice) == {"payments": "maintainer"}
    come(company, ["grp-payments"])
    assert teams(alice) == {"payments": "member"}
    come(company, ["grp-payments", "grp-payments-leads"])
    assert teams(alice) == {"payments": "maintainer"}


def test_a_group_is_meant_by_its_exact_name(company: FakeProvider, payments: Team) -> None:
    assert teams(come(company, ["GRP-PAYMENTS", "grp-payments ", "grp"])) == {}


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["grp-payments"]}}),
        ("https://corp.example/groups", {"https://corp.example/groups": ["grp-payments"]}),
    ],
)
def test_the_claim_can_have_another_name(
    company: FakeProvider, payments: Team, set_up: SetUp, claim: str, told: dict[str, Any]
) -> None:
    set_up(groups_claim=claim)
    company.knows("alice", **told)
    Traveller().sign_in()
    assert teams(User.objects.get()) == {"payments": "member"}


def test_groups_that_userinfo_tells_count_too(company: FakeProvider, payments: Team) -> None:
    company.in_token = False
    assert teams(come(company, ["grp-payments"])) == {"payments": "member"}


def test_another_provider_cannot_say_who_is_in_our_teams(company: FakeProvider, set_up: SetUp, payments: Team) -> None:
    """The partner's groups have a prefix of their own; it may call them what it likes."""
    set_up(OidcProvider("own", "https://own.example", "x", title="Own"), title="Partner", group_prefix="partner:")
    Team.objects.create(name="guests", external_group="partner:grp-payments")
    alice = come(company, ["grp-payments"])
    assert teams(alice) == {"guests": "member"}
    join_team(SETUP, payments, alice)
    come(company, [])
    assert teams(alice) == {"payments": "member"}


def roles(person: User) -> set[str]:
    return set(RoleGrant.objects.filter(user=person).values_list("role", flat=True))


def test_roles_come_and_go_with_their_groups(company: FakeProvider, set_up: SetUp) -> None:
    set_up(role_groups={"auditor": ("audit", "revision"), "security": ("sec",)})
    alice = come(company, ["revision"])
    assert roles(alice) == {"auditor"}
    grant_role(SETUP, alice, Role.RELEASE_MANAGER)
    come(company, ["sec"])
    assert roles(alice) == {"security", "release_manager"}
    assert events("role.granted", "role.revoked") == [
        ("role.granted", "alice"), ("role.granted", "alice"), ("role.revoked", "alice"),
    ]  # fmt: skip


def test_unknown_groups_take_no_role(company: FakeProvider, set_up: SetUp) -> None:
    set_up(role_groups={"auditor": ("audit",)})
    alice = come(company, ["audit"])
    come(company, None)
    assert roles(alice) == {"auditor"}


def test_the_last_platform_admin_keeps_the_role(company: FakeProvider, set_up: SetUp) -> None:
    set_up(role_groups={"platform_admin": ("admins",)})
    alice = come(company, ["admins"])
    come(company, [])
    assert roles(alice) == {"platform_admin"}
    assert "no platform admin who can sign in" in AuditEvent.objects.get(verb="role.kept").detail["reason"]
    create_person(SETUP, "root", "root@corp.example", "correct horse battery", roles=(Role.PLATFORM_ADMIN,))
    come(company, [])
    assert roles(alice) == set()
