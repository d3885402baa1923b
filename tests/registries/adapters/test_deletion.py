"""One tag goes, and nothing else: on registries that can, and on those that cannot."""

from collections.abc import Iterator

import pytest

from registries.adapters import ADAPTERS, Endpoint
from registries.oci import mediatypes as types
from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.oci.errors import Incomplete, RegistryError, TagMoved, Unsupported
from registries.oci.verify import verify_artifact
from tests.fakes import faults
from tests.fakes.content import encode, entry, put_image, put_two_platforms
from tests.fakes.scripted_registry import Answer, ScriptedRegistry
from tests.real.registries import RegistryStarter

APP = "team/app"
adapter = ADAPTERS["distribution"]


@pytest.fixture
def registry() -> Iterator[ScriptedRegistry]:
    with ScriptedRegistry().running() as running:
        yield running


@pytest.fixture
def client(registry: ScriptedRegistry) -> Iterator[Client]:
    opened = adapter.client(Endpoint(registry.url, name="sandbox"))
    yield opened
    opened.close()


def _tagged(client: Client, *tags: str) -> Digest:
    made = [put_image(client, APP, tag=tag) for tag in tags]
    return Digest(made[-1]["digest"])


def test_where_tags_can_be_deleted_that_is_done(registry: ScriptedRegistry, client: Client) -> None:
    digest = _tagged(client, "a", "b")
    assert adapter.delete_tag(client, APP, "a", digest=digest, siblings=["b"]) == "tag"
    assert registry.tags[APP] == {"b": digest}


def test_the_last_tag_of_a_digest_goes_with_it(registry: ScriptedRegistry, client: Client) -> None:
    registry.can_delete_tags = False
    digest = _tagged(client, "a")
    assert adapter.delete_tag(client, APP, "a", digest=digest, siblings=[]) == "digest"
    assert not registry.manifests


@pytest.mark.parametrize(("siblings", "keep"), [(["b"], False), ([], True)])
def test_a_manifest_that_is_needed_stays(
    registry: ScriptedRegistry, client: Client, siblings: list[str], keep: bool
) -> None:
    registry.can_delete_tags = False
    digest = _tagged(client, "a", *siblings)
    way = adapter.delete_tag(client, APP, "a", digest=digest, siblings=["a", *siblings], keep_manifest=keep)
    assert way == "placeholder"
    assert registry.tags[APP] == dict.fromkeys(siblings, digest)
    assert list(registry.manifests) == [(APP, digest)]


def test_a_tag_that_was_pushed_meanwhile_is_left_alone(registry: ScriptedRegistry, client: Client) -> None:
    digest = _tagged(client, "a")
    fresh = put_image(client, APP, tag="a", layers=(b"fresh",))["digest"]
    with pytest.raises(TagMoved, match="it was left alone"):
        adapter.delete_tag(client, APP, "a", digest=digest, siblings=[])
    assert registry.tags[APP] == {"a": fresh}


def test_a_tag_that_is_gone_is_gone(client: Client) -> None:
    assert adapter.delete_tag(client, APP, "a", digest=_tagged(client, "b"), siblings=["b"]) == "gone"


def test_a_push_between_placeholder_and_delete_survives(registry: ScriptedRegistry, client: Client) -> None:
    registry.can_delete_tags = False
    digest = _tagged(client, "a", "b")

    def push(answer: Answer) -> Answer:
        registry.tags[APP]["a"] = "sha256:" + "1" * 64
        registry.manifests[APP, "sha256:" + "1" * 64] = b"{}", types.OCI_IMAGE
        return answer

    registry.on("PUT", "manifests/a", push)
    adapter.delete_tag(client, APP, "a", digest=digest, siblings=["b"])
    assert registry.tags[APP] == {"a": "sha256:" + "1" * 64, "b": digest}


def test_a_registry_that_takes_more_than_the_tag_is_found_out(registry: ScriptedRegistry, client: Client) -> None:
    digest = _tagged(client, "a", "b")

    def take_all(answer: Answer) -> Answer:
        registry.tags[APP].clear()
        return answer

    registry.on("DELETE", "manifests", take_all)
    with pytest.raises(Incomplete, match=f"deleting team/app:a also took b; put manifest {digest} back"):
        adapter.delete_tag(client, APP, "a", digest=digest, siblings=["b"])


def test_a_registry_that_only_says_so_is_found_out(registry: ScriptedRegistry, client: Client) -> None:
    digest = _tagged(client, "a")

    def undo(answer: Answer) -> Answer:
        registry.tags[APP]["a"] = digest
        return answer

    registry.on("DELETE", "manifests", undo)
    with pytest.raises(RegistryError, match="was deleted and is still there"):
        adapter.delete_tag(client, APP, "a", digest=digest, siblings=[])


def test_where_nothing_can_be_deleted_nothing_is_changed(registry: ScriptedRegistry, client: Client) -> None:
    digest = _tagged(client, "a", "b")
    registry.on("DELETE", "manifests", faults.status(405, "UNSUPPORTED"), times=99)
    with pytest.raises(Unsupported):
        adapter.delete_tag(client, APP, "a", digest=digest, siblings=["b"])
    assert registry.tags[APP]["b"] == digest


def test_on_a_real_registry_the_other_tags_keep_their_image(start_registry: RegistryStarter) -> None:
    client = adapter.client(Endpoint(start_registry().url))
    digest = put_two_platforms(client, APP, "a")
    raw = client.get_manifest(APP, digest).raw
    client.put_manifest(APP, "b", raw, types.OCI_INDEX)
    assert adapter.delete_tag(client, APP, "a", digest=digest, siblings=["b"]) == "placeholder"
    assert adapter.list_tags(client, APP) == ["b"]
    assert verify_artifact(client, APP, digest).is_complete
    assert adapter.delete_tag(client, APP, "b", digest=digest, siblings=[]) == "digest"
    assert adapter.list_tags(client, APP) == []
    client.close()


def test_on_a_real_registry_a_docker_image_gets_a_docker_placeholder(start_registry: RegistryStarter) -> None:
    client = adapter.client(Endpoint(start_registry().url))
    config = encode({"os": "linux", "architecture": "amd64"})
    client.put_blob(APP, Digest.of(config), config)
    raw = encode(
        {
            "schemaVersion": 2,
            "mediaType": types.DOCKER_IMAGE,
            "layers": [],
            "config": entry(types.DOCKER_CONFIG, config),
        }
    )
    client.put_manifest(APP, "a", raw, types.DOCKER_IMAGE)
    digest = client.put_manifest(APP, "b", raw, types.DOCKER_IMAGE).digest
    assert adapter.delete_tag(client, APP, "a", digest=digest, siblings=["b"]) == "placeholder"
    assert adapter.list_tags(client, APP) == ["b"]
    client.close()
