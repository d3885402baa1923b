"""A kind of job to play with: a real one, run by a handler of the test."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from registries.topology.models import Registry
    from tests.portal.jobs.play import Handler, MakeJob


@pytest.fixture
def registry(db: None) -> Registry:
    from registries.topology.models import Registry, Zone

    zone = Zone.objects.create(name="sandbox", kind="sandbox")
    address = {"base_url": "http://127.0.0.1:5000", "host": "127.0.0.1:5000", "service": "sandbox"}
    return Registry.objects.create(name="sandbox", zone=zone, **address)


@pytest.fixture
def make_job(registry: Registry) -> MakeJob:
    from portal.actor import system
    from portal.jobs.queue import job_fields
    from registries.catalog.models import SyncJob

    def make(name: str = "team/app", **fields: Any) -> SyncJob:
        values = {**job_fields(system("tester")), **fields}
        return SyncJob.objects.create(registry=registry, repository_name=name, **values)

    return make


@pytest.fixture
def handled_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Handler], None]:
    """From now on jobs are run by this function."""
    from portal.jobs import kinds
    from registries.catalog.models import SyncJob

    handlers: dict[Any, Any] = kinds._handlers
    return lambda handler: monkeypatch.setitem(handlers, SyncJob, handler)
