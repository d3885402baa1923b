"""Our own jobs go to real registries with tokens made in this process, and only where their work is."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from registries.access.connect import client_for
from registries.access.models import SigningKey
from registries.access.signing.keys import bundle_pem, ensure_key
from registries.oci.digest import Digest
from registries.oci.errors import Denied, Unauthorized
from registries.oci.scope import CATALOG, Scope
from registries.topology.models import Credential, Reach, Registry
from tests.real.registries import RegistryStarter
from tests.registries.access.cast import make_registry

pytestmark = pytest.mark.django_db(transaction=True)
BLOB = b"some bytes"
# bcrypt of "wonderland", of the lowest cost.
WONDERLAND = "$2y$04$iAm6WH67jCgGjKQPK7E1DOg76KHqPy4f693UQqdf/uTvvOF8ENr8i"


def started(start: RegistryStarter, name: str, kind: str, **fields: Any) -> Registry:
    """A real registry that trusts the key of its row."""
    port = start.take_port()
    registry = make_registry(name, kind, url=f"http://127.0.0.1:{port}", **fields)
    token = {"realm": "http://127.0.0.1:9/token", "service": registry.service, "issuer": "127.0.0.1:8000"}
    start(name, token=token, bundle=bundle_pem(registry), port=port)
    return registry


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_the_pipeline_pushes_to_prod_and_the_sync_lists_it(start_registry: RegistryStarter, algorithm: str) -> None:
    prod = started(start_registry, "prod", "prod", token_algorithm=algorithm)
    with closing(client_for(prod, "pipeline", [Scope.repository("team/app", "pull", "push")])) as pipeline:
        pipeline.put_blob("team/app", Digest.of(BLOB), BLOB)
    with closing(client_for(prod, "sync", [CATALOG, Scope.repository("**", "pull")])) as sync:
        assert list(sync.catalog()) == ["team/app"]
        assert sync.get_blob("team/app", Digest.of(BLOB)) == BLOB
    assert SigningKey.objects.get(registry=prod).algorithm == algorithm


def test_work_stays_within_what_it_was_opened_for(start_registry: RegistryStarter) -> None:
    prod = started(start_registry, "prod", "prod")
    with closing(client_for(prod, "pipeline", [Scope.repository("team/app", "pull")])) as client:
        with pytest.raises(Denied, match="not opened for it"):
            client.head_blob("team/other", Digest.of(BLOB))
        with pytest.raises(Denied, match="not opened for it"):
            client.put_blob("team/app", Digest.of(BLOB), BLOB)


@pytest.mark.parametrize(
    ("principal", "kind", "actions"),
    [
        ("sync", "prod", ("pull", "push")),
        ("pipeline", "sandbox", ("pull",)),
        ("replicator", "sandbox", ("pull",)),
        ("importer", "sandbox", ("pull",)),
        ("importer", "prod", ("pull", "push")),
        ("pipeline", "archive", ("pull", "push")),
        ("cleaner", "prod", ("pull", "push")),
    ],
)
def test_work_that_is_not_a_principals_is_refused_before_anything_is_sent(
    principal: str, kind: str, actions: tuple[str, ...]
) -> None:
    registry = make_registry(kind, url="http://127.0.0.1:9")
    with pytest.raises(Denied):
        client_for(registry, principal, [Scope.repository("team/app", *actions)])


def test_nothing_leaves_a_sandbox_that_we_merely_observe() -> None:
    sandbox = make_registry("sandbox", url="http://127.0.0.1:9", reach=Reach.OBSERVED)
    with pytest.raises(Denied, match="nothing leaves sandbox"):
        client_for(sandbox, "pipeline", [Scope.repository("team/app", "pull")])
    client = client_for(sandbox, "importer", [Scope.repository("t*", "pull")])
    with closing(client), pytest.raises(Denied, match="nothing leaves sandbox"):
        client.tags("team")


def test_an_observed_registry_is_reached_with_the_credential_we_keep(
    start_registry: RegistryStarter, tmp_path: Path
) -> None:
    users = tmp_path / "htpasswd"
    users.write_text(f"portal:{WONDERLAND}\n")
    server = start_registry("hub", config={"auth": {"htpasswd": {"realm": "hub", "path": str(users)}}})
    hub = make_registry("hub", "upstream", url=server.url, reach=Reach.OBSERVED)
    scopes = [CATALOG, Scope.repository("**", "pull")]
    with closing(client_for(hub, "sync", scopes)) as stranger, pytest.raises(Unauthorized):
        list(stranger.catalog())
    held = Credential.objects.create(registry=hub, username="portal", secret="not it")
    with closing(client_for(hub, "sync", scopes)) as client, pytest.raises(Unauthorized):
        list(client.catalog())
    held.secret = "wonderland"
    held.save()
    with closing(client_for(hub, "sync", scopes)) as client:
        assert list(client.catalog()) == []


def test_a_registry_without_a_key_gets_one_once() -> None:
    registry = make_registry("prod", reach=Reach.OBSERVED)
    first, second = ensure_key(registry), ensure_key(registry)
    assert first.pk == second.pk
    assert SigningKey.objects.filter(registry=registry).count() == 1
