"""Who is meant by a claim, who may do what, and how people come to be."""

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError

from portal.actor import system
from portal.audit.models import AuditEvent
from portal.users.accounts import create_person, grant_role, join_team, vouch_for_address
from portal.users.models import Membership, Role, Team, User
from portal.users.queries import holders_of, person_by_claim, teams_of

SETUP = system("tester")
PASSWORD = "correct horse battery"

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


@pytest.fixture
def alice() -> User:
    return create_person(SETUP, "alice", "Alice@Corp.example", PASSWORD)


@pytest.fixture
def bob() -> User:
    return create_person(SETUP, "bob", "bob@corp.example", PASSWORD)


@pytest.mark.parametrize("claim", ["alice", " alice ", "alice@corp.example", "ALICE@corp.EXAMPLE"])
def test_a_person_is_found_by_name_and_by_proved_address(alice: User, bob: User, claim: str) -> None:
    assert person_by_claim(claim) == alice


@pytest.mark.parametrize("claim", ["", " ", "@", "Alice", "alic", "alice@", "alice@corp", "Alice A.", "mallory", "%"])
def test_what_names_nobody_surely_finds_nobody(alice: User, claim: str) -> None:
    User.objects.update(first_name="Alice", last_name="A.")
    assert person_by_claim(claim) is None


@pytest.mark.parametrize("claim", ["al\u0131ce@corp.example", "alice@\u212aorp.example", "al\u0130ce@corp.example"])
def test_a_letter_that_only_looks_alike_is_another_letter(alice: User, claim: str) -> None:
    create_person(SETUP, "karl", "alice@korp.example", PASSWORD)
    assert person_by_claim(claim) is None


def test_an_address_counts_once_it_is_proved(alice: User) -> None:
    EmailAddress.objects.create(user=alice, email="boss@corp.example", verified=False, primary=False)
    assert person_by_claim("boss@corp.example") is None
    EmailAddress.objects.filter(email="boss@corp.example").update(verified=True)
    assert person_by_claim("boss@corp.example") == alice


def test_who_has_left_is_nobody(alice: User) -> None:
    User.objects.update(is_active=False)
    assert person_by_claim("alice") is None
    assert person_by_claim("alice@corp.example") is None


def test_an_address_that_two_have_means_neither(alice: User, bob: User) -> None:
    EmailAddress.objects.create(user=bob, email="ALICE@corp.example", verified=True, primary=False)
    assert person_by_claim("alice@corp.example") is None


def test_a_superuser_is_a_platform_admin_and_nothing_more() -> None:
    root = create_person(SETUP, "root", "root@corp.example", PASSWORD, is_superuser=True)
    assert root.role_names == {"platform_admin"}
    assert root.has_role("platform_admin", "security")
    assert not root.has_role("release_manager")
    assert not holders_of(Role.PLATFORM_ADMIN).exists()


def test_roles_are_held_by_active_people_alone(alice: User, bob: User) -> None:
    grant_role(SETUP, alice, Role.AUDITOR)
    grant_role(SETUP, alice, Role.AUDITOR)
    fresh = User.objects.get(pk=alice.pk)
    assert fresh.has_role()
    assert fresh.has_role("auditor")
    assert not fresh.has_role("security")
    assert not bob.has_role()
    assert list(holders_of(Role.AUDITOR)) == [alice]
    fresh.is_active = False
    fresh.save()
    assert not fresh.has_role()
    assert not holders_of(Role.AUDITOR).exists()
    assert AuditEvent.objects.filter(verb="role.granted").count() == 1


@pytest.mark.parametrize(
    ("name", "address", "sentence"),
    [
        ("Alice2", "a2@corp.example", "Use lower-case letters"),
        ("a--b", "a2@corp.example", "Use lower-case letters"),
        ("eve\n", "a2@corp.example", "Use lower-case letters"),
        ("robot.ci", "a2@corp.example", "belong to robot accounts"),
        ("alice", "a2@corp.example", "already exists"),
        ("eve", "alice@corp.example", "Somebody else has proved"),
        ("eve", "ALICE@CORP.EXAMPLE", "Somebody else has proved"),
        ("eve", "second@corp.example", "Somebody else has proved"),
        ("eve", "", "cannot be blank"),
        ("eve", "nonsense", "valid email"),
    ],
)
def test_a_person_that_cannot_be_is_refused_whole(alice: User, name: str, address: str, sentence: str) -> None:
    EmailAddress.objects.create(user=alice, email="second@corp.example", verified=True, primary=False)
    with pytest.raises(ValidationError, match=sentence):
        create_person(SETUP, name, address, PASSWORD)
    assert User.objects.count() == 1


def test_vouching_for_a_second_address_makes_it_the_first(alice: User) -> None:
    EmailAddress.objects.create(user=alice, email="second@corp.example", verified=False, primary=False)
    alice.email = "second@corp.example"
    alice.save()
    vouch_for_address(alice)
    addresses = EmailAddress.objects.order_by("email").values_list("email", "primary", "verified")
    assert list(addresses) == [("alice@corp.example", False, True), ("second@corp.example", True, True)]


def test_somebody_is_in_a_team_once(alice: User) -> None:
    team = Team.objects.create(name="payments")
    join_team(SETUP, team, alice)
    join_team(SETUP, team, alice, as_maintainer=True)
    assert Membership.objects.get().role == "maintainer"
    assert list(teams_of(alice)) == [team]
    assert AuditEvent.objects.filter(verb="team.joined").count() == 2
