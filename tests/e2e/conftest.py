"""A served portal with something of everything in it, and visitors who look at it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

if TYPE_CHECKING:
    from portal.users.models import User
    from tests.e2e.harbour import Harbour
    from tests.e2e.visitor import Scheme, Visitor


class Visit(Protocol):
    """``visit(user, width, scheme)``: somebody, or a stranger, with the browser open."""

    def __call__(self, user: "User | None", width: int = 1440, scheme: "Scheme" = "light") -> "Visitor": ...


@pytest.fixture
def harbour(transactional_db: None) -> "Harbour":
    from django.db import transaction

    from tests.e2e.harbour import Harbour

    with transaction.atomic():  # one commit instead of a hundred
        return Harbour()


@pytest.fixture
def visit(chromium_browser: Browser, live_server: LiveServer, harbour: "Harbour") -> Iterator[Visit]:
    from tests.e2e.visitor import Visitor

    made: list[Visitor] = []

    def come(user: "User | None", width: int = 1440, scheme: "Scheme" = "light") -> Visitor:
        made.append(Visitor(chromium_browser, live_server.url, user, width, scheme))
        return made[-1]

    yield come
    for visitor in made:
        visitor.context.close()
