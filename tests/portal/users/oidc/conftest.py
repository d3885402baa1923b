"""A portal with one identity provider, and browsers that go there and back."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from pytest_django import Settings

from portal.oidc_settings import OidcProvider
from tests.fakes.identity_provider import FakeProvider, fake_provider

SetUp = Callable[..., OidcProvider]


@pytest.fixture
def company() -> Iterator[FakeProvider]:
    """The company's provider; alice has a session there."""
    with fake_provider() as provider:
        provider.knows("alice", groups=["staff"])
        provider.here = "alice"
        yield provider


@pytest.fixture
def set_up(company: FakeProvider, settings: Settings) -> SetUp:
    """Set the portal up with the provider; called again, in another way."""
    cache.clear()  # failures of sign-ins are counted in it, and keys are kept there

    def with_options(*others: OidcProvider, **options: Any) -> OidcProvider:
        given = {
            "issuer": company.url,
            "title": "Company",
            "client_id": company.client_id,
            "client_secret": company.client_secret,
        }
        made = OidcProvider("company", **{**given, **options})
        settings.PORTAL_OIDC_PROVIDERS = {made.key: made, **{other.key: other for other in others}}
        return made

    return with_options


@pytest.fixture(autouse=True)
def _provider(set_up: SetUp) -> None:
    set_up()
    assert django_settings.PORTAL_OIDC_PROVIDERS
