"""Who is let in, who is joined to which account, and who is refused with a reason."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount

from portal.actor import system
from portal.audit.models import AuditEvent
from portal.users.accounts import create_person, switch_off
from portal.users.models import Role, User
from tests.fakes.identity_provider import FakeProvider, fake_provider
from tests.portal.users.oidc.conftest import SetUp
from tests.portal.users.oidc.traveller import Traveller, words

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]

SETUP, PASSWORD = system("tester"), "correct horse battery"


def local_alice(email: str = "alice@corp.example", **fields: Any) -> User:
    return create_person(SETUP, "alice", email, PASSWORD, **fields)


def refused(traveller: Traveller, code: str) -> str:
    """What the page says; the refusal is in the audit, and nobody is signed in."""
    people, joined = User.objects.count(), SocialAccount.objects.count()
    answer = traveller.sign_in()
    told = words(answer)
    assert f"For whoever helps you: {code}" in told, told
    assert (User.objects.count(), SocialAccount.objects.count(), traveller.name) == (people, joined, "")
    noted = AuditEvent.objects.get(verb="signin.refused")
    assert (noted.detail["code"], noted.detail["sub"]) == (code, "alice-at-work")
    return told


def test_coming_again_is_coming_to_the_same_account(company: FakeProvider) -> None:
    Traveller().sign_in()
    company.knows("alice", preferred_username="alice.married", email="alice.m@corp.example", groups=[])
    traveller = Traveller()
    traveller.sign_in()
    assert traveller.name == "alice"
    assert User.objects.get().email == "alice@corp.example"


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": "Alice.Adams@corp.example"}, "alice.adams"),
        ({"preferred_username": "robot.ci"}, "robot-ci"),
        ({"preferred_username": None, "email": "a.adams@corp.example"}, "a.adams"),
        ({"preferred_username": "老師", "email": "teacher@corp.example"}, "teacher"),
        ({"preferred_username": ["alice"]}, "alice"),
        ({"preferred_username": "x" * 500}, "x" * 64),
    ],
)
def test_a_name_is_made_fit(company: FakeProvider, claims: dict[str, Any], name: str) -> None:
    company.knows("alice", **claims)
    Traveller().sign_in()
    assert User.objects.get().username == name


def test_a_name_that_is_taken_gets_a_number(company: FakeProvider) -> None:
    local_alice("other@corp.example")
    traveller = Traveller()
    traveller.sign_in()
    assert traveller.name == "alice-2"
    company.knows("second", preferred_username="alice")
    company.here = "second"
    another = Traveller()
    another.sign_in()
    assert another.name == "alice-3"


def test_an_address_that_somebody_has_here_is_never_enough(company: FakeProvider) -> None:
    alice = local_alice()
    told = refused(Traveller(), "address_taken")
    assert "Your mail address belongs to another account here" in told
    assert "connect Company there" in told
    assert not SocialAccount.objects.filter(user=alice).exists()


def test_nor_is_one_that_is_proved_while_nobody_has_switched_joining_on(company: FakeProvider) -> None:
    local_alice("old@corp.example")
    EmailAddress.objects.create(user=User.objects.get(), email="Alice@Corp.example", verified=False)
    refused(Traveller(), "address_taken")


@pytest.mark.parametrize("proved", [True, "true"])
def test_with_joining_switched_on_a_proved_address_opens_the_account(
    company: FakeProvider, set_up: SetUp, proved: object
) -> None:
    set_up(join_by_email=True)
    company.knows("alice", email_verified=proved)
    alice = local_alice()
    traveller = Traveller()
    traveller.sign_in()
    assert traveller.name == "alice"
    assert SocialAccount.objects.get().user == alice
    assert AuditEvent.objects.get(verb="identity.connected").detail["by"] == "address"


@pytest.mark.parametrize("proved", [False, None, 1, "yes", ["true"]])
def test_an_address_that_the_provider_has_not_proved_is_not_joined(
    company: FakeProvider, set_up: SetUp, proved: object
) -> None:
    set_up(join_by_email=True)
    company.knows("alice", email_verified=proved)
    local_alice()
    refused(Traveller(), "address_taken")


def test_an_address_that_we_have_not_proved_is_not_joined(company: FakeProvider, set_up: SetUp) -> None:
    """mallory has written alice's address into her account and waits for alice to come."""
    set_up(join_by_email=True)
    create_person(SETUP, "mallory", "mallory@corp.example", PASSWORD)
    EmailAddress.objects.create(user=User.objects.get(), email="alice@corp.example", verified=False)
    refused(Traveller(), "address_taken")


def test_an_address_that_was_given_away_again_is_not_joined(company: FakeProvider, set_up: SetUp) -> None:
    set_up(join_by_email=True)
    Traveller().sign_in()
    company.knows("alice", sub="another-alice")
    answer = Traveller().sign_in()
    assert "Your mail address belongs to another account" in words(answer)
    assert SocialAccount.objects.count() == 1


def test_a_break_glass_account_stays_local(company: FakeProvider, set_up: SetUp, settings: Any) -> None:
    set_up(join_by_email=True)
    settings.PORTAL_BREAK_GLASS = ["alice"]
    local_alice(roles=(Role.PLATFORM_ADMIN,))
    refused(Traveller(), "address_taken")


def test_without_an_address_there_is_no_account(company: FakeProvider) -> None:
    company.knows("alice", email="not an address")
    assert "did not tell your mail address" in refused(Traveller(), "address_missing")


def test_the_same_subject_at_another_issuer_is_somebody_else(company: FakeProvider, set_up: SetUp) -> None:
    Traveller().sign_in()
    with fake_provider() as other:
        other.knows("mallory", sub="alice-at-work")
        other.here = "mallory"
        set_up(issuer=other.url)
        traveller = Traveller()
        traveller.sign_in()
    assert traveller.name == "mallory"


@pytest.mark.parametrize("groups", [["guests"], [], None, "staff", {"staff": True}, ["staff", 7]])
def test_a_required_group_keeps_others_out(company: FakeProvider, set_up: SetUp, groups: object) -> None:
    set_up(required_groups=("staff",))
    company.knows("alice", groups=groups)
    told = refused(Traveller(), "not_in_group")
    assert "Coming in takes the group staff" in told
    assert "Whoever runs Company can put you into the group" in told


def test_one_required_group_of_several_is_enough(company: FakeProvider, set_up: SetUp) -> None:
    set_up(required_groups=("staff", "contractors"))
    company.knows("alice", groups=["contractors"])
    assert Traveller().sign_in().status_code == 302


def test_who_was_let_in_before_is_kept_out_without_the_group(company: FakeProvider, set_up: SetUp) -> None:
    Traveller().sign_in()
    set_up(required_groups=("staff",))
    company.knows("alice", groups=[])
    refused(Traveller(), "not_in_group")


def test_a_switched_off_account_stays_shut(company: FakeProvider) -> None:
    Traveller().sign_in()
    switch_off(SETUP, User.objects.get())
    assert "Your account is switched off" in refused(Traveller(), "switched_off")


def test_the_page_says_whom_to_ask(company: FakeProvider, settings: Any) -> None:
    settings.PORTAL_CONTACT = "#platform on the chat"
    local_alice()
    assert "Whom to ask: #platform on the chat" in refused(Traveller(), "address_taken")


def test_one_connects_ones_own_account_by_hand(company: FakeProvider) -> None:
    alice = local_alice()
    traveller = Traveller()
    traveller.client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    answer = traveller.sign_in(process="connect")
    assert answer["Location"] == "/accounts/reauthenticate/"
    done = traveller.client.post("/accounts/reauthenticate/", {"password": PASSWORD}, follow=True)
    assert "alice at Company" in words(done)
    assert SocialAccount.objects.get().user == alice
    assert AuditEvent.objects.get(verb="identity.connected").detail["by"] == "hand"
    another = Traveller()
    another.sign_in()
    assert another.name == "alice"


def test_connecting_is_refused_outside_the_required_group(company: FakeProvider, set_up: SetUp) -> None:
    set_up(required_groups=("staff",))
    company.knows("alice", groups=[])
    local_alice()
    traveller = Traveller()
    traveller.client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    assert "not among those who may come in" in words(traveller.sign_in(process="connect"))
    assert not SocialAccount.objects.exists()


def test_an_account_is_one_person_there(company: FakeProvider, set_up: SetUp) -> None:
    set_up(join_by_email=True)
    local_alice()
    traveller = Traveller()
    traveller.sign_in()
    company.knows("bob")
    company.here = "bob"
    assert "connected with somebody else at Company already" in words(traveller.sign_in(process="connect"))


def test_the_only_way_in_is_not_taken_away(company: FakeProvider) -> None:
    traveller = Traveller()
    traveller.sign_in()
    row = SocialAccount.objects.get()
    answer = traveller.client.post("/accounts/3rdparty/", {"account": row.pk})
    assert "This is your only way in" in words(answer)
    assert SocialAccount.objects.exists()


def test_a_connection_beside_a_password_can_be_removed(company: FakeProvider, set_up: SetUp) -> None:
    set_up(join_by_email=True)
    local_alice()
    traveller = Traveller()
    traveller.sign_in()
    row = SocialAccount.objects.get()
    traveller.client.post("/accounts/3rdparty/", {"account": row.pk})
    traveller.client.post("/accounts/reauthenticate/?next=/accounts/3rdparty/", {"password": PASSWORD})
    assert not SocialAccount.objects.exists()
    assert AuditEvent.objects.get(verb="identity.disconnected").actor_name == "alice"


def test_what_is_asked_for_comes_from_the_settings_alone(company: FakeProvider) -> None:
    address = Traveller().set_out(scope="admin", auth_params="prompt=none&client_id=other", process="redirect")
    assert "scope=openid+profile+email&" in address
    assert "prompt" not in address
    assert "client_id=portreeve&" in address


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_nobody_is_sent_to_a_foreign_place_afterwards(company: FakeProvider, place: str) -> None:
    assert Traveller().sign_in(next=place)["Location"] == "/"


def test_a_provider_that_is_not_set_up_is_not_there(company: FakeProvider) -> None:
    assert Traveller().client.get("/accounts/oidc/nobody/login/").status_code == 404
    assert Traveller().client.get("/accounts/oidc/nobody/login/callback/").status_code == 404


def test_looking_at_the_way_does_not_set_out(company: FakeProvider) -> None:
    answer = Traveller().client.get("/accounts/oidc/company/login/")
    assert "Sign in with Company" in words(answer)
    assert company.asked == []


@pytest.mark.parametrize(
    "takes", [("client_secret_basic",), ("client_secret_post",), ("private_key_jwt", "client_secret_post")]
)
@pytest.mark.parametrize("in_token", [True, False])
def test_each_way_of_asking_for_the_token(company: FakeProvider, takes: tuple[str, ...], in_token: bool) -> None:
    company.takes, company.in_token = takes, in_token
    assert Traveller().sign_in().status_code == 302
    assert ("/userinfo" in company.asked) is not in_token


def test_an_unproved_address_stays_unproved(company: FakeProvider) -> None:
    company.knows("alice", email_verified=False)
    Traveller().sign_in()
    assert not EmailAddress.objects.get().verified


def test_no_password_can_be_taken_by_oneself(company: FakeProvider, mailoutbox: list[Any]) -> None:
    traveller = Traveller()
    traveller.sign_in()
    for way in ("/accounts/password/set/", "/accounts/password/change/"):
        page = traveller.client.get(way, follow=True)
        assert "You have no password here" in words(page)
        traveller.client.post(way, {"password1": PASSWORD, "password2": PASSWORD})
    Traveller().client.post("/accounts/password/reset/", {"email": "alice@corp.example"})
    assert not User.objects.get().has_usable_password()
    assert "Sign in with Company" in mailoutbox[0].body
    assert "password/reset/key" not in mailoutbox[0].body
