"""alice comes in by her company's provider, over real HTTP."""

import time

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.socialaccount.models import SocialAccount
from pytest_django import Settings

from portal.audit.models import AuditEvent
from portal.oidc_settings import OidcProvider
from portal.users.models import User
from portal.users.second_factor import CAME_BY
from tests.fakes.identity_provider import FakeProvider
from tests.portal.conftest import InThreads
from tests.portal.users.oidc.conftest import SetUp
from tests.portal.users.oidc.traveller import Traveller, words

pytestmark = [pytest.mark.django_db]


def test_somebody_new_gets_an_account(company: FakeProvider) -> None:
    traveller = Traveller()
    answer = traveller.sign_in(next="/my/access/")
    assert (answer.status_code, answer["Location"]) == (302, "/my/access/")
    alice = User.objects.get()
    assert (alice.username, alice.email, alice.first_name) == ("alice", "alice@corp.example", "Alice")
    assert not alice.has_usable_password()
    assert EmailAddress.objects.get(user=alice, primary=True).verified
    assert traveller.name == "alice"
    assert SocialAccount.objects.get().extra_data["sub"] == "alice-at-work"
    assert AuditEvent.objects.get(verb="person.created").actor_name == "oidc:company"


def test_the_session_is_a_new_one_and_ends_within_hours(company: FakeProvider, set_up: SetUp) -> None:
    set_up(session_hours=3)
    traveller = Traveller()
    address = traveller.set_out()
    before = traveller.client.session.session_key
    traveller.client.get(traveller.ask(address))
    after = traveller.client.session
    assert before
    assert after.session_key != before
    assert 3 * 3600 - 60 < after.get_expiry_age() <= 3 * 3600


@pytest.mark.parametrize(("asks", "status"), [(True, 200), (False, 302)])
def test_who_comes_with_a_role_needs_a_second_factor_from_one_side(
    company: FakeProvider, set_up: SetUp, settings: Settings, asks: bool, status: int
) -> None:
    settings.PORTAL_SECOND_FACTOR_FOR_ROLES = True
    set_up(second_factor=asks, role_groups={"auditor": ("staff",)})
    traveller = Traveller()
    traveller.sign_in()
    assert traveller.client.get("/my/access/").status_code == status
    if not asks:
        page = traveller.client.get("/my/access/", follow=True)
        assert "Set up the authenticator app" in words(page)


def test_an_account_with_an_authenticator_app_is_asked_for_its_code_all_the_same(company: FakeProvider) -> None:
    traveller = Traveller()
    traveller.sign_in()
    TOTP.activate(User.objects.get(), "JBSWY3DPEHPK3PXP")
    again = Traveller()
    assert again.sign_in()["Location"].startswith("/accounts/2fa/authenticate/")
    assert again.name == ""
    now = format_hotp_value(hotp_value("JBSWY3DPEHPK3PXP", int(time.time()) // 30))
    again.client.post("/accounts/2fa/authenticate/", {"code": now})
    assert again.name == "alice"
    assert again.client.session[CAME_BY] == "company"


def test_two_providers_may_have_given_us_the_same_client_id(company: FakeProvider, set_up: SetUp) -> None:
    set_up(OidcProvider("other", "https://other.example", company.client_id, title="Other", group_prefix="other:"))
    traveller = Traveller()
    traveller.sign_in()
    TOTP.activate(User.objects.get(), "JBSWY3DPEHPK3PXP")
    again = Traveller()
    again.sign_in()
    now = format_hotp_value(hotp_value("JBSWY3DPEHPK3PXP", int(time.time()) // 30))
    assert again.client.post("/accounts/2fa/authenticate/", {"code": now}).status_code == 302
    assert again.name == "alice"


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_the_first_sign_in_from_two_browsers_at_once_makes_one_account(
    company: FakeProvider, in_threads: InThreads
) -> None:
    travellers = [Traveller(), Traveller()]
    ways = [traveller.ask(traveller.set_out()) for traveller in travellers]
    answers = in_threads(
        *(lambda pair=pair: pair[0].client.get(pair[1]).status_code for pair in zip(travellers, ways, strict=True))
    )
    assert sorted(answers) in ([302, 302], [302, 409])
    assert User.objects.count() == SocialAccount.objects.count() == 1
