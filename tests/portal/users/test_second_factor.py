"""A second factor: set up, asked for, replaced by a recovery code once, and demanded of people with a role."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client

from portal.actor import system
from portal.audit.models import AuditEvent
from portal.oidc_settings import OidcProvider
from portal.users.accounts import create_person, grant_role
from portal.users.models import Role, User
from portal.users.second_factor import CAME_BY, SecondFactorAdapter
from portal.vault import UndecryptableError

SETUP, PASSWORD = system("tester"), "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXP"
ADDRESSES = [
    "/",
    "/admin/",
    "/my/access/",
    "/registries/",
    "/accounts/password/change/",
    "/accounts/email/",
    "/accounts/3rdparty/",
]

pytestmark = [pytest.mark.django_db]


def code(secret: str = SECRET, steps: int = 0) -> str:
    """What the app shows now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps)))


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()  # codes that were used and failures are counted in it


@pytest.fixture
def alice() -> User:
    return create_person(SETUP, "alice", "alice@corp.example", PASSWORD)


def signed_in(name: str) -> Client:
    client = Client()
    answer = client.post("/accounts/login/", {"login": name, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/my/access/").status_code == 200


def enrol(client: Client) -> str:
    """Through the pages, as a person would; the secret."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    secret = page.partition('id="authenticator-secret">')[2].partition("<")[0]
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    assert answer["Location"] == "/accounts/2fa/recovery-codes/"
    return secret


@pytest.mark.django_db(transaction=True)  # allauth says what it did when it is kept for good
def test_setting_it_up_and_signing_in_with_it(alice: User) -> None:
    secret = enrol(signed_in("alice"))
    cache.clear()
    client = signed_in("alice")
    assert not is_in(client)
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "This code is wrong" in wrong.content.decode()
    assert not is_in(client)
    assert client.post("/accounts/2fa/authenticate/", {"code": code(secret)}).status_code == 302
    assert is_in(client)
    assert AuditEvent.objects.filter(verb="secondfactor.added", actor_name="alice").count() == 2


def test_a_code_is_good_once(alice: User) -> None:
    TOTP.activate(alice, SECRET)
    used = code()
    first, second = signed_in("alice"), signed_in("alice")
    assert first.post("/accounts/2fa/authenticate/", {"code": used}).status_code == 302
    second.post("/accounts/2fa/authenticate/", {"code": used})
    assert not is_in(second)


def test_guessing_codes_is_stopped(alice: User) -> None:
    TOTP.activate(alice, SECRET)
    client = signed_in("alice")
    answers = [client.post("/accounts/2fa/authenticate/", {"code": f"{n:06}"}).content.decode() for n in range(12)]
    assert any("Too many" in answer for answer in answers)
    client.post("/accounts/2fa/authenticate/", {"code": code()})
    assert not is_in(client)


def test_a_recovery_code_stands_in_once(alice: User) -> None:
    client = signed_in("alice")
    enrol(client)
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    page = client.get("/accounts/2fa/recovery-codes/").content.decode()
    assert all(each in page for each in codes)
    assert codes[0] in client.get("/accounts/2fa/recovery-codes/download/").content.decode()
    first, second = signed_in("alice"), signed_in("alice")
    first.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    second.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    assert (is_in(first), is_in(second)) == (True, False)


@pytest.mark.django_db(transaction=True)
def test_new_recovery_codes_end_the_old_ones(alice: User) -> None:
    client = signed_in("alice")
    enrol(client)
    old = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    client.post("/accounts/2fa/recovery-codes/generate/")
    assert not set(old) & set(Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes())
    assert AuditEvent.objects.filter(verb="secondfactor.renewed").count() == 1


def test_switching_it_off_takes_the_recovery_codes_along(alice: User) -> None:
    client = signed_in("alice")
    enrol(client)
    client.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists()
    assert AuditEvent.objects.filter(verb="secondfactor.removed").exists()


def test_seeds_rest_encrypted(alice: User, settings: Any) -> None:
    secret = enrol(signed_in("alice"))
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    adapter = SecondFactorAdapter()
    kept = Authenticator.objects.get(type="totp").data["secret"]
    assert adapter.decrypt(kept) == secret
    assert adapter.decrypt(SECRET) == SECRET
    settings.PORTAL_ENCRYPTION_KEYS = ["YW5vdGhlci1rZXktb2YtMzItYnl0ZXMtZm9yLXRlc3Q="]
    with pytest.raises(UndecryptableError, match="none of PORTAL_ENCRYPTION_KEYS fits"):
        adapter.decrypt(kept)


def test_an_admin_helps_who_has_lost_both(alice: User) -> None:
    TOTP.activate(alice, SECRET)
    create_person(SETUP, "ada", "ada@corp.example", PASSWORD, roles=(Role.PLATFORM_ADMIN,))
    bob = create_person(SETUP, "bob", "bob@corp.example", PASSWORD)
    ada = signed_in("ada")
    chosen = {"action": "remove_second_factors", "_selected_action": [str(alice.pk), str(bob.pk)]}
    assert "Removed from alice." in ada.post("/admin/users/user/", chosen, follow=True).content.decode()
    assert is_in(signed_in("alice"))
    event = AuditEvent.objects.get(verb="secondfactor.removed")
    assert (event.actor_name, event.object_name) == ("ada", "alice")
    assert "None of them had one" in ada.post("/admin/users/user/", chosen, follow=True).content.decode()


def test_an_auditor_removes_nothing(alice: User) -> None:
    TOTP.activate(alice, SECRET)
    create_person(SETUP, "otto", "otto@corp.example", PASSWORD, roles=(Role.AUDITOR,))
    chosen = {"action": "remove_second_factors", "_selected_action": str(alice.pk)}
    signed_in("otto").post("/admin/users/user/", chosen, follow=True)
    assert Authenticator.objects.exists()


# --- demanded of people with a role -------------------------------------------------------------------------------
@pytest.fixture
def demanded(settings: Any) -> None:
    settings.PORTAL_SECOND_FACTOR_FOR_ROLES = True


@pytest.fixture
def ada() -> User:
    return create_person(SETUP, "ada", "ada@corp.example", PASSWORD, roles=(Role.AUDITOR,))


@pytest.mark.usefixtures("demanded")
@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_opens_until_it_is_set_up(ada: User, address: str) -> None:
    client = signed_in("ada")
    answer = client.get(address)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/totp/activate/")
    assert client.post(address, {}).status_code in (302, 403)
    assert "Until it is set up" in client.get("/accounts/2fa/").content.decode()
    enrol(client)
    assert client.get(address, follow=True).status_code == 200


@pytest.mark.usefixtures("demanded")
def test_nor_does_the_api(ada: User) -> None:
    client = signed_in("ada")
    answer = client.get("/api/v1/registries")
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["code"] == "second_factor_required"
    enrol(client)
    assert client.get("/api/v1/registries").status_code == 200


@pytest.mark.usefixtures("demanded")
def test_people_without_a_role_are_not_asked(alice: User) -> None:
    assert is_in(signed_in("alice"))


@pytest.mark.usefixtures("demanded")
def test_a_role_that_is_given_counts_at_the_next_request(alice: User) -> None:
    client = signed_in("alice")
    assert is_in(client)
    grant_role(SETUP, alice, Role.SECURITY)
    assert not is_in(client)


@pytest.mark.usefixtures("demanded")
def test_who_needs_it_cannot_switch_it_off(ada: User) -> None:
    client = signed_in("ada")
    enrol(client)
    page = client.get("/accounts/2fa/totp/deactivate/").content.decode()
    assert "People with a role need a second factor here" in page
    client.post("/accounts/2fa/totp/deactivate/")
    assert Authenticator.objects.filter(type="totp").exists()


@pytest.mark.usefixtures("demanded")
def test_signing_out_stays_open(ada: User) -> None:
    client = signed_in("ada")
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get("/accounts/login/").status_code == 200


@pytest.mark.usefixtures("demanded")
@pytest.mark.parametrize("asks", [True, False])
def test_a_provider_that_asks_for_its_own_is_as_good(ada: User, settings: Any, asks: bool) -> None:
    settings.PORTAL_OIDC_PROVIDERS = {"company": OidcProvider("company", "https://x.example", "x", second_factor=asks)}
    client = signed_in("ada")
    session = client.session
    session[CAME_BY] = "company"
    session.save()
    assert is_in(client) is asks


def test_without_the_setting_nobody_is_asked(ada: User) -> None:
    assert is_in(signed_in("ada"))
