"""With the keyboard and with impatient fingers, in the portal and in the admin."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import expect

from registries.access.models import PersonalToken, Secret
from tests.e2e.conftest import Visit
from tests.e2e.harbour import Harbour

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_keys_lead_to_search_map_and_help(visit: Visit, harbour: Harbour) -> None:
    visitor = visit(harbour.alice)
    page = visitor.open("/inbox/")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("g m ?")
    expect(page.locator("#find")).to_have_value("g m ?")
    page.locator("h1").click()
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/")
    expect(page.locator("svg.map")).to_be_visible()
    assert not visitor.faults, visitor.faults


def test_a_form_is_sent_once_however_often_one_clicks(visit: Visit, harbour: Harbour) -> None:
    page = visit(harbour.charlie).open("/my/access/")
    page.get_by_label("What is it for").fill("laptop")
    page.get_by_role("button", name="Make a token").click(click_count=3)
    expect(page.locator(".secret")).to_be_visible()
    assert PersonalToken.objects.filter(user=harbour.charlie).count() == 1


@pytest.mark.parametrize("width", [1440, 390])
def test_a_token_is_narrowed_replaced_and_gone_after_going_back(visit: Visit, harbour: Harbour, width: int) -> None:
    visitor = visit(harbour.alice, width)
    page = visitor.open("/my/access/")
    expect(page.get_by_label("Only in repositories")).to_be_hidden()
    page.locator(".narrow summary").press("Enter")
    page.get_by_label("What is it for").fill("night job")
    page.get_by_label("pull", exact=True).check()
    page.get_by_label("Only in repositories").fill("Payments/**")
    visitor.expected = 400
    page.get_by_role("button", name="Make a token").click()
    expect(page.locator(".errorlist")).to_contain_text("lower-case letters")
    visitor.look()
    visitor.expected = 200
    page.get_by_label("Only in repositories").fill("payments/**")
    page.get_by_label("Only from where I am now").check()
    page.get_by_role("button", name="Make a token").click()
    secret = page.locator("#secret").inner_text()
    assert PersonalToken.objects.get(name="night job").networks == "127.0.0.1"
    visitor.look()
    page.get_by_role("link", name="Replace night job").click()
    page.get_by_label("The old one still works for").select_option("1")
    page.get_by_role("button", name="Make the new one").click()
    expect(page.locator(".secret")).to_contain_text("The old one still works until")
    assert page.locator("#secret").inner_text() != secret
    visitor.expected = 409
    page.reload()
    expect(page.locator(".form-fault")).to_contain_text("This was sent before")
    assert "ptp_" not in page.content()
    visitor.expected = 200
    visitor.open("/inbox/")
    with pytest.raises(BrowserError, match="ERR_CACHE_MISS"):
        page.go_back()
    assert PersonalToken.objects.filter(name="night job").count() == 2
    assert not visitor.faults, visitor.faults


def test_a_robots_secret_is_issued_in_the_admin_however_often_one_clicks(visit: Visit, harbour: Harbour) -> None:
    page = visit(harbour.ada).open(reverse("admin:access_robotaccount_change", args=[harbour.robot.pk]))
    page.get_by_role("link", name="Issue a secret").click()
    page.get_by_label("What is it for").fill("night job")
    page.get_by_role("button", name="Issue the secret").click(click_count=3)
    page.get_by_role("link", name="Back to robot.payments-ci").wait_for()
    assert Secret.objects.filter(name="night job").count() == 1


@pytest.mark.parametrize("width", [1440, 390])
def test_somebody_is_let_go(visit: Visit, harbour: Harbour, width: int) -> None:
    visitor = visit(harbour.ada, width)
    page = visitor.open(reverse("admin:users_user_change", args=[harbour.alice.pk]))
    page.get_by_role("link", name="What they own and were shown").click()
    page.get_by_role("button", name="Rotate and disable").click()
    expect(page.get_by_text("alice has left: the account is off")).to_be_visible()
    expect(page.get_by_text("cannot sign in any more")).to_be_visible()
    visitor.look()
    harbour.alice.refresh_from_db()
    assert not harbour.alice.is_active
    assert not visitor.faults, visitor.faults


def test_a_section_of_the_sidebar_opens_by_keyboard(visit: Visit, harbour: Harbour) -> None:
    page = visit(harbour.ada).open(reverse("admin:index"))
    archive = page.locator("#nav-sidebar").get_by_role("link", name="Archive entries")
    expect(archive).to_be_hidden()
    page.locator("#nav-sidebar summary", has_text="Distribution").press("Enter")
    expect(archive).to_be_visible()
    archive.press("Enter")
    page.wait_for_url("**/archive/archiveentry/")
    expect(page.locator("#nav-sidebar [aria-current]")).to_contain_text("Archive entries")


def test_from_a_tile_to_the_list_behind_it_and_from_a_row_to_the_portal(visit: Visit, harbour: Harbour) -> None:
    page = visit(harbour.ada).open(reverse("admin:index"))
    page.get_by_role("link", name="Registries broken not well").click()
    expect(page.locator("#result_list tbody")).to_have_count(1)
    page.locator("#result_list").get_by_role("link", name="prod-eu").click()
    page.get_by_role("link", name="Open in the portal").click()
    expect(page.locator("h1")).to_contain_text("prod-eu")


def test_the_theme_chosen_in_the_portal_holds_in_the_admin_and_back(visit: Visit, harbour: Harbour) -> None:
    visitor = visit(harbour.ada, 1440, "light")
    page = visitor.open("/")
    page.locator(".theme").click()
    page = visitor.open(reverse("admin:index"))
    expect(page.locator("html.dark")).to_have_count(1)
    page.locator("#nav-sidebar").get_by_text("ada@example.com").click()
    page.get_by_text("Light", exact=True).click()
    expect(page.locator("html.dark")).to_have_count(0)
    page = visitor.open("/")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_a_time_is_an_age_and_a_digest_is_short(visit: Visit, harbour: Harbour) -> None:
    page = visit(harbour.ada).open(reverse("admin:catalog_manifest_changelist"))
    digest = harbour.long.manifest.digest
    expect(page.get_by_title(str(digest))).to_have_text(str(digest).partition(":")[2][:12])
    expect(page.locator("#result_list time").first).to_contain_text(re.compile("just now|ago"))
