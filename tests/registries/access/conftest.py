"""Who logs in where; a registry whose operator is the test; and what one test was counted for is no other's business."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from pytest_django import Settings

if TYPE_CHECKING:
    from registries.topology.models import Registry
    from tests.fakes.token_registry import TokenRegistry
    from tests.registries.access.cast import Login


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    # This file is read before Django has loaded its apps.
    from registries.access.counts.tally import tally

    tally.take()
    yield
    tally.take()


@pytest.fixture
def door(settings: Settings) -> Iterator["TokenRegistry"]:
    """The front door of a registry, which checks tokens by the keys it was started with."""
    from tests.fakes.token_registry import TokenRegistry

    with TokenRegistry(issuer=settings.PORTAL_TOKEN_ISSUER).running() as running:
        yield running


@pytest.fixture
def guarded(db: None, door: "TokenRegistry") -> "Registry":
    """The row of a prod behind the door, which was started with the bundle of its first key."""
    from registries.access.signing.keys import bundle_pem
    from tests.registries.access.cast import make_registry

    registry = make_registry("prod", url=door.url)
    door.service = registry.service
    door.restart(bundle_pem(registry))
    return registry


@pytest.fixture
def alice(db: None) -> "Login":
    """A person, with a token of theirs."""
    from tests.registries.access.cast import make_person, person_login

    return person_login(make_person("alice"))


@pytest.fixture
def robbie(db: None) -> "Login":
    """A robot of kind CI of team payments."""
    from tests.registries.access.cast import make_robot, make_team, robot_login

    return robot_login(make_robot("payments-ci", make_team("payments")))


@pytest.fixture
def sandbox(db: None) -> "Registry":
    from tests.registries.access.cast import make_registry

    return make_registry("sandbox")


@pytest.fixture
def prod(db: None) -> "Registry":
    from tests.registries.access.cast import make_registry

    return make_registry("prod")
