"""Signing in, and the pages of things that went wrong: what happened, what to do."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from portal.urls import urlpatterns as all_addresses
from tests.portal.web.cast import PASSWORD, Company
from tests.portal.web.conftest import SignIn


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("on purpose")


urlpatterns = [path("broken/", broken), *all_addresses]


def test_people_sign_in_with_name_and_password_and_land_on_the_map(company: Company) -> None:
    client = Client()
    page = client.get("/accounts/login/").content.decode()
    assert "<h1>Sign in</h1>" in page
    assert "personal token" in page
    answer = client.post("/accounts/login/", {"login": "alice", "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == "/"
    assert "Map of the registries" in answer.content.decode()


def test_a_wrong_password_keeps_the_name(company: Company) -> None:
    page = Client().post("/accounts/login/", {"login": "alice", "password": "guess"}).content.decode()
    assert 'value="alice"' in page
    assert 'role="alert"' in page


def test_nobody_signs_up(company: Company) -> None:
    assert "Accounts are given, not taken" in Client().get("/accounts/signup/").content.decode()


@pytest.mark.parametrize(
    "address", ["/accounts/password/reset/", "/accounts/password/reset/done/", "/accounts/inactive/"]
)
def test_pages_before_the_login_open(company: Company, address: str) -> None:
    assert Client().get(address).status_code == 200


@pytest.mark.parametrize("address", ["/accounts/password/change/", "/accounts/2fa/", "/accounts/logout/"])
def test_pages_of_the_account_open(company: Company, signed_in: SignIn, address: str) -> None:
    page = signed_in(company.alice).get(address)
    assert page.status_code == 200
    assert "<style" not in page.content.decode()


def test_not_found_looks_alike_for_everybody(company: Company, signed_in: SignIn) -> None:
    for client in (Client(), signed_in(company.alice)):
        answer = client.get("/nothing/here/")
        assert answer.status_code == 404
        assert "There is nothing here that you may see" in answer.content.decode()


def test_a_form_from_elsewhere_is_refused_with_what_to_do(company: Company) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(company.alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post("/my/tokens/", {"name": "x", "days": "30"})
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.content.decode()


def test_a_malformed_address_is_told(company: Company, signed_in: SignIn) -> None:
    answer = signed_in(company.alice).get("/repositories/?after=nonsense")
    assert answer.status_code == 400
    assert "was not understood" in answer.content.decode()


def test_a_foreign_host_name_is_refused_before_anything_is_known_of_the_caller() -> None:
    answer = Client(raise_request_exception=False).get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "was not understood" in answer.content.decode()


@override_settings(ROOT_URLCONF="tests.portal.web.test_trouble")
def test_when_we_break_the_page_still_stands() -> None:
    answer = Client(raise_request_exception=False).get("/broken/")
    assert answer.status_code == 500
    page = answer.content.decode()
    assert "Something broke on our side" in page
    assert "/static/web/tokens.css" in page
