"""Real registries of promotions: they trust the keys of their rows, and are asked directly."""

from contextlib import closing
from typing import Any

from portal.demo.registries import RegistryServer
from registries.access.connect import client_for
from registries.access.signing.keys import bundle_pem
from registries.oci.digest import Digest
from registries.oci.scope import Scope
from registries.topology.models import Registry
from tests.real.registries import RegistryStarter
from tests.registries.access.cast import make_registry

NAME = "payments/api"


def started(start: RegistryStarter, name: str, kind: str, **fields: Any) -> tuple[Registry, RegistryServer]:
    """A real registry that trusts the key of its row."""
    port = start.take_port()
    registry = make_registry(name, kind, url=f"http://127.0.0.1:{port}", **fields)
    token = {"realm": "http://127.0.0.1:9/token", "service": registry.service, "issuer": "127.0.0.1:8000"}
    return registry, start(name, token=token, bundle=bundle_pem(registry), port=port)


def answered_by(registry: Registry, tag: str) -> Digest | None:
    """Asked directly."""
    with closing(client_for(registry, "sync", [Scope.repository(NAME, "pull")])) as client:
        head = client.head_manifest(NAME, tag)
        return head.digest if head else None
