"""A sandbox on a real registry that deletes no single tags (Distribution 2.8), and the same with faults.

Models are imported late: this file is read before Django is set up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from registries.oci.auth import Anonymous
from registries.oci.client import Client
from tests.fakes.scripted_registry import ScriptedRegistry
from tests.real.registries import RegistryStarter

if TYPE_CHECKING:
    from portal.users.models import User
    from registries.topology.models import Registry


@pytest.fixture
def sandbox(db: None, start_registry: RegistryStarter) -> Registry:
    from registries.topology.models import ZoneKind
    from tests.registries.rows import make_registry

    return make_registry("sandbox", start_registry("sandbox").url, kind=ZoneKind.SANDBOX, is_retention_enabled=True)


@pytest.fixture
def faulty() -> Iterator[ScriptedRegistry]:
    with ScriptedRegistry(can_delete_tags=False).running() as running:
        yield running


@pytest.fixture
def faulty_sandbox(db: None, faulty: ScriptedRegistry) -> Registry:
    from registries.topology.models import ZoneKind
    from tests.registries.rows import make_registry

    return make_registry("sandbox", faulty.url, kind=ZoneKind.SANDBOX, is_retention_enabled=True)


@pytest.fixture
def client_of() -> Iterator[Callable[[Registry], Client]]:
    opened: list[Client] = []

    def client(registry: Registry) -> Client:
        opened.append(Client(registry.base_url, Anonymous()))
        return opened[-1]

    yield client
    for each in opened:
        each.close()


@pytest.fixture
def admin(db: None) -> User:
    from portal.users.models import User

    return User.objects.create(username="ada", email="ada@example.com", is_superuser=True)
