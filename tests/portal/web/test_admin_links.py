"""Rows of the admin that have a page in the portal lead there."""

import pytest
from django.apps import apps
from django.test import Client
from django.urls import resolve
from django.utils.html import escape

from portal.admin_site import portal_places, site
from portal.users.models import Role
from portal.web.admin_links import link_to_the_portal
from tests.portal.any_row import make_row
from tests.portal.test_admin_pages import address, person, signed_in

pytestmark = pytest.mark.django_db
link_to_the_portal()


@pytest.fixture
def auditor() -> Client:
    return signed_in(person("auditor", Role.AUDITOR))


@pytest.mark.parametrize("label", sorted(portal_places))
def test_a_row_leads_to_a_page_of_the_portal(label: str, auditor: Client) -> None:
    model = apps.get_model(label)
    row = make_row(model)
    url = portal_places[label](row)
    assert url is not None
    assert resolve(url.partition("?")[0]).app_name == "web"
    page = auditor.get(address(site._registry[model], "change", row.pk), follow=True).content.decode()
    assert f'href="{escape(url)}"' in page
    assert "Open in the portal" in page


def test_a_refusal_that_is_about_no_repository_leads_nowhere() -> None:
    model = apps.get_model("access.denial")
    row = make_row(model)
    row.scope = "registry:catalog:*"  # type: ignore[attr-defined]
    assert portal_places["access.denial"](row) is None


def test_a_row_without_a_page_leads_nowhere(auditor: Client) -> None:
    model = apps.get_model("topology.location")
    page = auditor.get(address(site._registry[model], "change", make_row(model).pk)).content.decode()
    assert "Open in the portal" not in page
