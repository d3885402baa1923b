"""Dora asks and bob grants in a real browser, by keyboard where one would, at both widths."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from registries.access.asking.request_models import AccessRequest
from registries.access.models import AccessRule
from tests.e2e.visitor import Visitor
from tests.portal.web.grants import Grants, make_grants
from tests.registries.access.town import in_days

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def grants(transactional_db: None) -> Grants:
    return make_grants()


@pytest.mark.parametrize("width", [1440, 390])
def test_asked_granted_and_ended(
    chromium_browser: Browser, live_server: LiveServer, grants: Grants, width: int
) -> None:
    dora = Visitor(chromium_browser, live_server.url, grants.town["dora"], width, "light")
    page = dora.open("/my/access/")
    page.get_by_role("navigation", name="Access").get_by_role("link", name="Requests").click()
    page.get_by_role("link", name="Ask for access").first.click()
    page.get_by_label("Registry").select_option("prod")
    page.get_by_label("Repository, or a pattern of several").fill("payments/batch/**")
    page.get_by_label("Until").fill(in_days(12).date().isoformat())
    page.get_by_label("Why").fill("The nightly job is to be compared.")
    dora.look()
    page.get_by_label("Why").press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Those who may decide have been told")).to_be_visible()
    dora.look()

    bob = Visitor(chromium_browser, live_server.url, grants.town["bob"], width, "dark")
    page = bob.open("/inbox/")
    page.get_by_role("link", name="dora asks to pull prod/payments/batch/**").click()
    bob.look()
    page.get_by_label("Repositories").fill("payments/batch/*")
    page.get_by_role("button", name="Grant").click()
    expect(page.get_by_text("Granted. dora has been told.")).to_be_visible()
    rule = AccessRequest.objects.get(pattern="payments/batch/**").rule
    assert rule is not None
    assert rule.pattern == "payments/batch/*"

    bob.open("/access/review/?show=all")
    bob.look()
    page.get_by_role("button", name=f"End rule {rule.pk} now").click()
    expect(page.get_by_text("1 grant ended.")).to_be_visible()
    assert not AccessRule.objects.filter(pk=rule.pk, ends_at__gt=in_days(0)).exists()
    for visitor in (dora, bob):
        assert not visitor.faults, "\n".join(visitor.faults)
        visitor.context.close()
