"""Coming in with a real browser: to a provider and back, and with a second factor; each page on the way is looked at."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from portal.actor import system
from portal.oidc_settings import OidcProvider
from portal.users.accounts import create_person
from portal.users.models import Role, User
from tests.e2e.visitor import Scheme, Visitor
from tests.fakes.identity_provider import FakeProvider, fake_provider

SETUP, PASSWORD = system("tester"), "correct horse battery"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
modes = pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
Visit = Callable[[int, Scheme], Visitor]


class Guest(Visitor):
    """May also go to the provider."""

    provider = "none"

    def _request(self, request: Any) -> None:
        if not request.url.startswith(self.provider):
            super()._request(request)


@pytest.fixture
def company(settings: Settings, live_server: LiveServer) -> Iterator[FakeProvider]:
    with fake_provider() as provider:
        provider.knows("alice", groups=["staff"])
        provider.knows("bob", groups=["guests"])
        told = OidcProvider(
            "company", provider.url, provider.client_id, provider.client_secret, "Company", required_groups=("staff",)
        )
        settings.PORTAL_OIDC_PROVIDERS = {"company": told}
        settings.PORTAL_CONTACT = "#platform on the chat"
        yield provider


@pytest.fixture
def visit(chromium_browser: Browser, live_server: LiveServer, settings: Settings) -> Iterator[Visit]:
    cache.clear()
    settings.PORTAL_BASE_URL = live_server.url
    made: list[Visitor] = []

    def start(width: int, scheme: Scheme) -> Visitor:
        made.append(Guest(chromium_browser, live_server.url, None, width, scheme))
        return made[-1]

    yield start
    for visitor in made:
        visitor.context.close()


def nothing_wrong(visitor: Visitor) -> None:
    assert not visitor.faults, "\n".join(visitor.faults)


def sign_out(page: Page) -> None:
    page.goto(re.match(r"https?://[^/]+", page.url)[0] + "/accounts/logout/")  # type: ignore[index]
    page.get_by_role("main").get_by_role("button", name="Sign out").click()


def log_in(visitor: Visitor, name: str) -> Page:
    page = visitor.open("/accounts/login/")
    page.get_by_label("Login").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    return page


@modes
def test_to_the_provider_and_back(visit: Visit, company: FakeProvider, width: int, scheme: Scheme) -> None:
    visitor = visit(width, scheme)
    visitor.provider = company.url  # type: ignore[attr-defined]
    page = visitor.open("/accounts/login/?next=/my/access/")
    visitor.look()
    page.get_by_role("button", name="Sign in with Company").click()
    page.get_by_role("link", name="Sign in as alice").click()
    expect(page).to_have_url(visitor.address + "/my/access/")
    assert User.objects.get().username == "alice"
    visitor.open("/accounts/3rdparty/")
    expect(page.get_by_text("alice at Company")).to_be_visible()
    visitor.look()
    page.get_by_role("button", name="Remove the connection").click()
    expect(page.get_by_text("This is your only way in")).to_be_visible()
    visitor.look()
    visitor.open("/accounts/password/set/")
    expect(page.locator("h1")).to_have_text("You have no password here")
    visitor.look()
    sign_out(page)
    nothing_wrong(visitor)


@modes
def test_refused_with_a_reason(visit: Visit, company: FakeProvider, width: int, scheme: Scheme) -> None:
    visitor = visit(width, scheme)
    visitor.provider, visitor.expected = company.url, 403  # type: ignore[attr-defined]
    page = visitor.open("/accounts/login/")
    visitor.expected = 403
    page.get_by_role("button", name="Sign in with Company").click()
    page.get_by_role("link", name="Sign in as bob").click()
    expect(page.locator("h1")).to_contain_text("you are not among those who may come in")
    expect(page.get_by_text("#platform on the chat")).to_be_visible()
    visitor.look()
    assert not User.objects.exists()
    page.get_by_role("link", name="To the login page").click()
    page.get_by_role("button", name="Sign in with Company").click()
    page.get_by_role("link", name="Sign in as nobody").click()
    expect(page.locator("h1")).to_have_text("Company did not let you through")
    visitor.look()
    nothing_wrong(visitor)


@modes
def test_the_pages_before_and_besides(
    visit: Visit, company: FakeProvider, settings: Settings, width: int, scheme: Scheme
) -> None:
    settings.PORTAL_OIDC_ONLY, settings.PORTAL_BREAK_GLASS = True, ["root"]
    create_person(SETUP, "carl", "carl@corp.example", PASSWORD)
    visitor = visit(width, scheme)
    for path in ("/accounts/oidc/company/login/", "/accounts/oidc/company/login/?process=connect",
                 "/accounts/3rdparty/login/cancelled/", "/accounts/login/", "/accounts/confirm-email/"):  # fmt: skip
        visitor.open(path)
        visitor.look()
    visitor.open("/accounts/3rdparty/login/error/", status=401)
    visitor.look()
    visitor.open("/accounts/oidc/company/login/callback/?state=x&code=y", status=400)
    visitor.look()
    page = visitor.open("/accounts/login/")
    expect(page.get_by_label("Password")).to_be_hidden()
    page.get_by_text("Local admins, with a password").click()
    visitor.look()
    page.get_by_label("Login").fill("carl")
    page.get_by_label("Password").fill(PASSWORD)
    visitor.expected = 403
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("h1")).to_have_text("Passwords are not taken here")
    visitor.look()
    nothing_wrong(visitor)


@modes
def test_a_second_factor_from_first_to_last(visit: Visit, settings: Settings, width: int, scheme: Scheme) -> None:
    settings.PORTAL_SECOND_FACTOR_FOR_ROLES = True
    create_person(SETUP, "ada", "ada@corp.example", PASSWORD, roles=(Role.AUDITOR,))
    visitor = visit(width, scheme)
    page = log_in(visitor, "ada")
    expect(page.locator("h1")).to_have_text("Is it still you?")
    visitor.look()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("h1")).to_have_text("Set up the authenticator app")
    expect(page.get_by_text("Until it is set up, no other page opens.")).to_be_visible()
    visitor.look()
    visitor.open("/inbox/")
    expect(page.locator("h1")).to_have_text("Set up the authenticator app")
    page.get_by_text("No camera? Type it in").click()
    secret = page.locator("#authenticator-secret").inner_text()
    page.get_by_label("Authenticator code").fill("000000")
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_text("This code is wrong")).to_be_visible()
    visitor.look()
    page.get_by_label("Authenticator code").fill(now(secret))
    page.get_by_role("button", name="Switch it on").click()
    expect(page.locator("h1")).to_have_text("Recovery codes")
    visitor.look()
    recovery = page.locator(".codes code").all_inner_texts()
    assert len(recovery) == 10
    page.get_by_role("link", name="Done").click()
    expect(page.locator("h1")).to_have_text("Second factor")
    visitor.look()
    for path in (
        "/accounts/2fa/totp/deactivate/",
        "/accounts/2fa/recovery-codes/generate/",
        "/accounts/email/",
        "/accounts/3rdparty/",
    ):
        visitor.open(path)
        visitor.look()
    sign_out(page)
    log_in(visitor, "ada")
    expect(page.locator("h1")).to_have_text("Second factor")
    visitor.look()
    page.get_by_label("Code").fill(recovery[0])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("svg.map, .map-list, .empty").first).to_be_attached()
    visitor.open("/accounts/2fa/")
    expect(page.get_by_text("9 of 10 left")).to_be_visible()
    sign_out(page)
    log_in(visitor, "ada")
    page.get_by_label("Code").fill(now(secret))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("svg.map, .map-list, .empty").first).to_be_attached()
    nothing_wrong(visitor)


@modes
def test_who_need_not_have_one_can_switch_it_off(visit: Visit, width: int, scheme: Scheme) -> None:
    create_person(SETUP, "alice", "alice@corp.example", PASSWORD)
    visitor = visit(width, scheme)
    page = log_in(visitor, "alice")
    visitor.open("/accounts/2fa/")
    visitor.look()
    page.get_by_role("link", name="Set it up").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("No camera? Type it in").click()
    page.get_by_label("Authenticator code").fill(now(page.locator("#authenticator-secret").inner_text()))
    page.get_by_role("button", name="Switch it on").click()
    visitor.open("/accounts/2fa/totp/deactivate/")
    visitor.look()
    page.get_by_role("button", name="Switch it off").click()
    expect(page.get_by_text("Off. Any app")).to_be_visible()
    nothing_wrong(visitor)


def now(secret: str) -> str:
    """What the app shows."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
