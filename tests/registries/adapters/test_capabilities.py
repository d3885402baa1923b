"""What a registry can do, found out without changing anything there."""

import pytest

from registries.adapters import ADAPTERS, Capabilities, Endpoint
from registries.adapters.base import Adapter, normalise_base_url, open_client
from registries.oci.backoff import Backoff
from registries.oci.client import Client
from registries.oci.errors import ServerError
from registries.oci.transport import TransportOptions
from tests.fakes import faults
from tests.fakes.content import put_image
from tests.fakes.scripted_registry import ScriptedRegistry
from tests.real.registries import RegistryStarter

adapter = ADAPTERS["distribution"]


def test_every_adapter_goes_by_its_name() -> None:
    assert list(ADAPTERS) == ["distribution", "generic"]
    assert all(made.name == name for name, made in ADAPTERS.items())


def test_a_modern_registry_can_do_all() -> None:
    with ScriptedRegistry().running() as registry:
        able = _asked(adapter, registry.url)
        before = dict(registry.tags), dict(registry.manifests)
    assert (able.catalog, able.tag_delete, able.digest_delete, able.referrers_api) == (True,) * 4
    assert not able.unknown
    assert before == ({}, {})


def test_distribution_2_8_cannot_delete_tags_and_lists_no_referrers(start_registry: RegistryStarter) -> None:
    able = _asked(adapter, start_registry().url)
    assert (able.catalog, able.tag_delete, able.digest_delete, able.referrers_api) == (True, False, True, False)


def test_distribution_with_deleting_switched_off(start_registry: RegistryStarter) -> None:
    able = _asked(adapter, start_registry(config={"storage": {"delete": {"enabled": False}}}).url)
    assert (able.tag_delete, able.digest_delete) == (False, False)


def test_what_may_not_be_asked_is_unknown() -> None:
    with ScriptedRegistry().running() as registry:
        registry.on("DELETE", "", faults.status(403), times=9)
        able = _asked(ADAPTERS["generic"], registry.url)
    assert able.unknown == {"tag_delete", "digest_delete"}
    assert (able.tag_delete, able.digest_delete) == (False, True)


def test_a_registry_that_is_down_has_no_capabilities_to_tell() -> None:
    with ScriptedRegistry().running() as registry:
        registry.on("GET", "_catalog", faults.status(500))
        client = open_client(Endpoint(registry.url), TransportOptions(backoff=Backoff(retries=0)))
        with pytest.raises(ServerError):
            adapter.capabilities(client)
        client.close()


def test_the_catalog_is_read_in_pages_as_large_as_allowed(start_registry: RegistryStarter) -> None:
    client = adapter.client(Endpoint(start_registry(config={"catalog": {"maxentries": 500}}).url))
    for name in ("a/one", "b/two"):
        put_image(client, name)
    assert list(adapter.list_repositories(client)) == ["a/one", "b/two"]
    client.close()


@pytest.mark.parametrize(
    ("text", "plain_http", "url"),
    [
        ("prod.example", False, "https://prod.example"),
        ("127.0.0.1:5000/", True, "http://127.0.0.1:5000"),
        (" https://prod.example/v2/ ", True, "https://prod.example"),
        ("https://proxy.example/registry", False, "https://proxy.example/registry"),
    ],
)
def test_addresses_are_taken_as_people_write_them(text: str, plain_http: bool, url: str) -> None:
    assert normalise_base_url(text, plain_http=plain_http) == url


def _asked(adapter: Adapter, url: str) -> Capabilities:
    client: Client = adapter.client(Endpoint(url))
    try:
        return adapter.capabilities(client)
    finally:
        client.close()
