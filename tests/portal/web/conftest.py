"""A company to look at, and browsers that are signed in. Models are imported late: Django is not up when this is read."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.test import Client

if TYPE_CHECKING:
    from portal.users.models import User
    from tests.portal.web.cast import Company

SignIn = Callable[["User"], Client]


@pytest.fixture
def company(db: None) -> "Company":
    from tests.portal.web.cast import Company

    return Company()


@pytest.fixture
def signed_in() -> SignIn:
    def sign_in(user: "User") -> Client:
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in
