"""The map, the keys and the forms in a real browser. That every page is clean and fits is looked at in tests/e2e."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from portal.users.models import User
from tests.portal.web.cast import Company
from tests.portal.web.conftest import SignIn

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def company(transactional_db: None) -> Company:
    return Company()


class Visitor:
    """Somebody signed in, at one width and in one colour scheme, with what the browser complained about."""

    def __init__(self, browser: Browser, address: str, signed_in: SignIn, user: User, width: int, scheme: str) -> None:
        self.address = address
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        session = signed_in(user).cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, kind: str, text: str) -> None:
        if kind == "error" and "404 (Not Found)" not in text:
            self.complaints.append(text)

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page


@pytest.fixture
def visit(
    chromium_browser: Browser, live_server: LiveServer, company: Company, signed_in: SignIn
) -> Iterator["Visits"]:
    visits = Visits(chromium_browser, live_server.url, signed_in, company.alice)
    yield visits
    for visitor in visits.made:
        visitor.context.close()


class Visits:
    def __init__(self, browser: Browser, address: str, signed_in: SignIn, user: User) -> None:
        self.browser, self.address, self.signed_in, self.user = browser, address, signed_in, user
        self.made: list[Visitor] = []

    def __call__(self, width: int = 1440, scheme: str = "light", user: User | None = None) -> Visitor:
        self.made.append(Visitor(self.browser, self.address, self.signed_in, user or self.user, width, scheme))
        return self.made[-1]


def test_the_map_is_a_picture_when_wide_and_a_list_when_narrow(visit: Visits) -> None:
    wide = visit(1440).open("/")
    expect(wide.locator("svg.map")).to_be_visible()
    expect(wide.locator(".map-list")).to_be_hidden()
    narrow = visit(390).open("/")
    expect(narrow.locator("svg.map")).to_be_hidden()
    expect(narrow.locator(".map-list").get_by_role("link", name="ci-snapshots")).to_be_visible()


def test_a_card_of_the_map_is_a_link(visit: Visits) -> None:
    page = visit().open("/")
    page.locator("svg.map a.map-card", has_text="ci-snapshots").click()
    expect(page.locator("h1")).to_have_text("ci-snapshots")


def test_keys_lead_to_the_search_box_and_to_places(visit: Visits) -> None:
    page = visit().open("/inbox/")
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("payments")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("payments")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/")
    expect(page.locator("svg.map")).to_be_visible()


def test_a_digest_is_copied_whole(visit: Visits, company: Company) -> None:
    visitor = visit()
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.open("/r/ci-snapshots/payments/api:1.4.0/")
    page.locator(".head .copy").first.click()
    expect(page.locator(".toast")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == str(company.snapshot.manifest.digest)


def test_asking_for_a_promotion_by_hand_from_tag_to_request(visit: Visits) -> None:
    page = visit().open("/r/ci-snapshots/payments/api:1.4.0/")
    page.get_by_role("link", name="Ask for promotion").click()
    page.get_by_label("What changes, and why now").fill("Rounds refunds down.")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator(".messages")).to_contain_text("is on its way")
    expect(page.locator(".steps [aria-current]")).to_contain_text("approval")
    page.get_by_role("button", name="Cancel the request").click()
    expect(page.locator(".steps .is-stopped")).to_contain_text("approval")


def test_a_client_is_set_up_by_hand(visit: Visits) -> None:
    visitor = visit(390)
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.open("/my/access/")
    page.get_by_role("link", name="Set up my client").first.click()
    page.get_by_label("Where it stands").select_option("eu")
    page.wait_for_url("**location=eu**")
    page.get_by_role("link", name="podman, skopeo, buildah").click()
    expect(page.get_by_label("Where it stands")).to_have_value("eu")
    page.get_by_role("button", name="Copy registries.conf.d/50-portreeve.conf").click()
    expect(page.locator(".toast")).to_have_text("Copied")
    assert 'location = "prod-eu.test"' in page.evaluate("navigator.clipboard.readText()")
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download registries.conf.d/50-portreeve.conf").click()
    assert coming.value.suggested_filename == "50-portreeve.conf"
    assert visitor.complaints == []
