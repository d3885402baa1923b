"""A key is exchanged by clicks, at a registry that follows as its operator restarts it; each moment is looked at, wide and narrow."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from registries.access.models import SigningKey
from registries.access.signing.keys import bundle_pem
from registries.topology.models import Registry
from tests.e2e.conftest import Visit
from tests.e2e.harbour import Harbour
from tests.fakes.token_registry import TokenRegistry

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("width", "scheme", "other"), [(1440, "light", 390), (390, "dark", 1440)])
def test_from_the_first_key_to_a_second_and_a_revoked_one(
    visit: Visit, harbour: Harbour, width: int, scheme: str, other: int
) -> None:
    prod = harbour.prod
    with TokenRegistry(prod.service, settings.PORTAL_TOKEN_ISSUER).running() as door:
        Registry.objects.filter(pk=prod.pk).update(base_url=door.url)
        visitor = visit(harbour.ada, width, scheme)  # type: ignore[arg-type]
        page = visitor.open(reverse("admin:access_signingkey_rotation", args=[prod.pk]))

        def click(name: str, then: str) -> None:
            page.get_by_role("button", name=name, exact=True).click()
            expect(page.locator(".stands")).to_contain_text(then)

        def look() -> None:
            visitor.look()
            visitor.measure(other)

        look()
        click("Make the first key", "There is nothing to do")
        door.restart(bundle_pem(prod))
        click("Publish the next key", "Give it the new file, restart it and probe")
        click("Probe the next key", "Give it the new file, restart it and probe")
        expect(page.locator(".step-failed")).to_contain_text("not yet this one")
        look()
        door.restart(bundle_pem(prod))
        click("Probe the next key", "Switch to it")
        page.locator("button.main").click()
        expect(page.locator(".step-now")).to_contain_text("Wait until the last old token has ended")
        look()

        SigningKey.objects.filter(state="replaced").update(replaced_at=timezone.now() - timedelta(minutes=11))
        page.reload()
        click("Probe the key that signs", "may go")
        page.locator("button.main").click()
        expect(page.locator(".step-now")).to_contain_text("Restart once more")
        door.restart(bundle_pem(prod))
        click("See whether it is refused", "There is nothing to do")

        page.get_by_text("Revoke a key").press("Enter")
        page.get_by_label("What happened").fill("found in a log")
        click("Revoke it now", "was revoked here")
        expect(page.locator(".warning")).to_contain_text("whoever holds that key gets in")
        look()
        there = reverse("admin:access_signingkey_rotation", args=[prod.pk])
        page = visitor.open(reverse("admin:topology_registry_change", args=[prod.pk]))
        page.locator(f'a[href="{there}"]').first.dispatch_event("click")
        expect(page.locator(".stands")).to_contain_text("was revoked here")
        assert not visitor.faults, "\n".join(visitor.faults)
