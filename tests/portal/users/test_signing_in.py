"""Passwords, sessions, limits; and what happens to both where people come in by a provider alone."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from portal.actor import system
from portal.oidc_settings import OidcProvider
from portal.users.accounts import create_person, switch_off, switch_on
from portal.users.models import Role, User
from tests.portal.users.oidc.traveller import words

SETUP, PASSWORD = system("tester"), "correct horse battery"
pytestmark = [pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()  # failures are counted in it


@pytest.fixture
def alice() -> User:
    return create_person(SETUP, "alice", "alice@corp.example", PASSWORD)


def log_in(client: Client, password: str = PASSWORD, name: str = "alice", **headers: str) -> Any:
    return client.post("/accounts/login/", {"login": name, "password": password}, headers=headers)


def is_in(client: Client) -> bool:
    return client.get("/my/access/").status_code == 200


@pytest.mark.parametrize("name", ["alice", "alice@corp.example", "ALICE@corp.example"])
def test_by_name_or_address(alice: User, name: str) -> None:
    client = Client()
    log_in(client, name=name)
    assert is_in(client)


def test_the_session_is_another_one_after_signing_in(alice: User) -> None:
    """A session that somebody planted in the browser before is worth nothing."""
    client = Client()
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = before = str(session.session_key)
    log_in(client)
    assert client.cookies["sessionid"].value != before
    planted = Client()
    planted.cookies["sessionid"] = before
    assert not is_in(planted)


def test_five_failures_stop_further_guessing_at_one_name(alice: User) -> None:
    client = Client()
    answers = [words(log_in(client, password="guess")) for _ in range(6)]
    assert "Too many" not in answers[3]
    assert "Too many failed login attempts" in answers[5]
    log_in(client)
    assert not is_in(client)


def test_guessing_at_many_names_is_stopped_by_address(alice: User) -> None:
    answers = [words(log_in(Client(), password="guess", name=f"name{n}")) for n in range(11)]
    assert "Too many failed login attempts" in answers[10]


def test_behind_a_proxy_one_guesser_does_not_stop_the_others(alice: User, settings: Any) -> None:
    settings.PORTAL_TRUSTED_PROXIES = ["127.0.0.1"]
    for n in range(12):
        log_in(Client(), password="guess", name=f"name{n}", x_forwarded_for="203.0.113.9")
    client = Client()
    log_in(client, x_forwarded_for="203.0.113.10")
    assert is_in(client)


def test_who_is_switched_off_is_out_at_the_next_request(alice: User) -> None:
    """Everywhere: each session of theirs, on pages, in the admin and at the API."""
    create_person(SETUP, "ada", "ada@corp.example", PASSWORD, roles=(Role.PLATFORM_ADMIN,))
    eve = create_person(SETUP, "eve", "eve@corp.example", PASSWORD, roles=(Role.PLATFORM_ADMIN,))
    at_home, at_work = Client(), Client()
    for client in (at_home, at_work):
        log_in(client, name="eve")
        assert client.get("/admin/").status_code == 200
        assert client.get("/api/v1/registries").status_code == 200
    switch_off(SETUP, eve)
    for client in (at_home, at_work):
        assert client.get("/admin/").status_code == 302
        assert client.get("/api/v1/registries").status_code in (401, 403)
        assert not is_in(client)
    again = Client().post("/accounts/login/", {"login": "eve", "password": PASSWORD}, follow=True)
    assert "This account is switched off" in words(again)


def test_a_password_that_changes_ends_the_other_sessions(alice: User) -> None:
    here, there = Client(), Client()
    log_in(here)
    log_in(there)
    new = "another correct horse"
    here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert (is_in(here), is_in(there)) == (True, False)


def test_being_switched_on_again_opens_the_old_door(alice: User) -> None:
    switch_off(SETUP, alice)
    switch_on(SETUP, alice)
    client = Client()
    log_in(client)
    assert is_in(client)


# --- by a provider alone ------------------------------------------------------------------------------------------
@pytest.fixture
def alone(settings: Any) -> None:
    settings.PORTAL_OIDC_PROVIDERS = {"company": OidcProvider("company", "https://x.example", "x", title="Company")}
    settings.PORTAL_OIDC_ONLY, settings.PORTAL_BREAK_GLASS, settings.PORTAL_CONTACT = True, ["root"], "#platform"


@pytest.mark.usefixtures("alone")
def test_a_right_password_is_told_where_to_go(alice: User) -> None:
    client = Client()
    answer = log_in(client)
    assert answer.status_code == 403
    assert "Passwords are not taken here" in words(answer)
    assert "Sign in with Company" in words(answer)
    assert "ask #platform" in words(answer)
    assert not is_in(client)


@pytest.mark.usefixtures("alone")
def test_a_wrong_one_learns_nothing(alice: User) -> None:
    assert words(log_in(Client(), password="guess")) == words(log_in(Client(), password="guess", name="nobody"))


@pytest.mark.usefixtures("alone")
def test_a_named_local_admin_comes_in(alice: User) -> None:
    create_person(SETUP, "root", "root@corp.example", PASSWORD, roles=(Role.PLATFORM_ADMIN,))
    client = Client()
    log_in(client, name="root")
    assert is_in(client)


@pytest.mark.usefixtures("alone")
def test_the_login_page_offers_the_provider_first(alice: User) -> None:
    page = words(Client().get("/accounts/login/"))
    assert page.index("Sign in with Company") < page.index("Local admins, with a password")


@pytest.mark.usefixtures("alone")
def test_a_new_password_is_not_handed_out_by_mail(alice: User, mailoutbox: list[Any]) -> None:
    Client().post("/accounts/password/reset/", {"email": "alice@corp.example"})
    assert mailoutbox[0].subject.endswith("How you sign in to Portreeve")
    assert "password/reset/key" not in mailoutbox[0].body


def test_without_a_provider_the_login_page_is_as_it_was(alice: User) -> None:
    page = words(Client().get("/accounts/login/"))
    assert "Sign in with" not in page
    assert "or with a password" not in page
