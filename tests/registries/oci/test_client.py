"""One registry that answers rightly, wrongly, late, or not at all."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from registries.oci import mediatypes as types
from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.oci.errors import (
    Denied,
    DigestMismatch,
    Dropped,
    NotARegistry,
    NotFound,
    RateLimited,
    RegistryError,
    ServerError,
    TooLarge,
    Unauthorized,
    Unreachable,
    Unsupported,
)
from registries.oci.manifest import InvalidManifest
from tests.fakes import faults
from tests.fakes.content import image_manifest, put_image
from tests.fakes.scripted_registry import Fault, ScriptedRegistry
from tests.registries.oci.conftest import Opener

APP = "team/app"


def test_catalog_and_tags_come_page_by_page(registry: ScriptedRegistry, client: Client) -> None:
    registry.tags = {f"team/app{n}": {"v1": "sha256:" + "0" * 64} for n in range(5)}
    registry.tags["team/empty"] = {}
    names = client.catalog(page_size=2)
    assert next(names) == "team/app0"
    assert len(registry.requests("GET", "_catalog")) == 1, "the second page is not asked for before it is wanted"
    assert [*names][-1] == "team/empty"
    assert len(registry.requests("GET", "_catalog")) == 3
    assert client.tags("team/empty") == []


def test_a_link_may_be_absolute(registry: ScriptedRegistry, client: Client) -> None:
    registry.tags = {"a": {}, "b": {}}
    registry.on("GET", "_catalog", faults.header("Link", f'<{registry.url}/v2/_catalog?n=5&last=a>; rel="next"'))
    assert list(client.catalog()) == ["a", "b", "b"]


def test_a_link_to_another_host_is_not_followed(
    registry: ScriptedRegistry, other: ScriptedRegistry, client: Client
) -> None:
    registry.tags = {"a": {}}
    registry.on("GET", "_catalog", faults.header("Link", f'<{other.url}/v2/_catalog>; rel="next"'))
    with pytest.raises(RegistryError, match=r"at another host .* not whole"):
        list(client.catalog())
    assert not other.seen


def test_pages_that_go_in_a_circle_are_an_error(registry: ScriptedRegistry, client: Client) -> None:
    registry.tags = {"a": {}}
    registry.on("GET", "_catalog", faults.header("Link", '</v2/_catalog?n=100>; rel="next"'), times=99)
    with pytest.raises(RegistryError, match="circle"):
        list(client.catalog())


def test_a_listing_that_breaks_off_raises_and_does_not_just_end(registry: ScriptedRegistry, connect: Opener) -> None:
    registry.tags = {"a": {}, "b": {}}
    registry.on("GET", "last=a", faults.status(500), times=9)
    names = connect(registry.url, retries=0).catalog(page_size=1)
    assert next(names) == "a"
    with pytest.raises(ServerError, match="the catalog: it failed with status 500"):
        next(names)


def test_head_tells_a_tag_without_reading_it(registry: ScriptedRegistry, client: Client) -> None:
    made = put_image(client, APP, tag="v1")
    head = client.head_manifest(APP, "v1")
    assert head
    assert (head.digest, head.size, head.media_type) == (made["digest"], made["size"], types.OCI_IMAGE)
    assert client.head_manifest(APP, "v2") is None
    assert not registry.requests("GET", "manifests")
    assert registry.requests("HEAD", "manifests")[0].headers["Accept"].count("application/") == 6


def test_where_head_names_no_digest_the_body_is_hashed(registry: ScriptedRegistry, client: Client) -> None:
    made = put_image(client, APP, tag="v1")
    registry.sends_digest = False
    head = client.head_manifest(APP, "v1")
    assert head
    assert head.digest == made["digest"]
    assert client.get_manifest(APP, "v1").digest == made["digest"]


def test_a_manifest_of_another_digest_is_not_taken(registry: ScriptedRegistry, client: Client) -> None:
    made = put_image(client, APP, tag="v1")
    registry.on("GET", "manifests", faults.other_body(image_manifest(b"{}", [])), times=3)
    for reference, expected in (("v1", None), (made["digest"], None), ("v1", Digest(made["digest"]))):
        with pytest.raises(DigestMismatch, match="was expected, and its content is sha256:"):
            client.get_manifest(APP, reference, expected)


def test_bad_manifests_name_the_registry(registry: ScriptedRegistry, client: Client) -> None:
    registry.manifests[APP, str(Digest.of(b"[]"))] = b"[]", types.OCI_IMAGE
    with pytest.raises(InvalidManifest, match=f"prod at {registry.url}: manifest {APP}@sha256:.*not an object"):
        client.get_manifest(APP, Digest.of(b"[]"))
    schema1 = b'{"schemaVersion":1}'
    registry.manifests[APP, str(Digest.of(schema1))] = schema1, types.DOCKER_SCHEMA1_SIGNED
    with pytest.raises(InvalidManifest, match="schema 1"):
        client.get_manifest(APP, Digest.of(schema1))


def test_a_manifest_above_the_limit_is_not_read_to_its_end(registry: ScriptedRegistry, client: Client) -> None:
    put_image(client, APP, tag="v1")
    registry.on("GET", "manifests", faults.other_body(b" " * (5 * 1024 * 1024)))
    with pytest.raises(TooLarge, match=r"larger than 4\.0 MiB"):
        client.get_manifest(APP, "v1")


def test_a_registry_that_stores_something_else_is_found_out(registry: ScriptedRegistry, client: Client) -> None:
    raw = image_manifest(b"{}", [])
    registry.blobs[APP, str(Digest.of(b"{}"))] = b"{}"
    registry.on("PUT", "manifests", faults.header("Docker-Content-Digest", Digest.of(b"converted")))
    with pytest.raises(DigestMismatch, match="it was stored as"):
        client.put_manifest(APP, "v1", raw, types.OCI_IMAGE)


@pytest.mark.parametrize(
    "fault", [faults.status(500), faults.status(503), faults.status(408), faults.silence(), faults.cut(3)]
)
def test_small_requests_are_tried_again(
    registry: ScriptedRegistry, client: Client, pauses: list[float], fault: Fault
) -> None:
    put_image(client, APP, tag="v1")
    registry.on("GET", "tags", fault, times=3)
    assert client.tags(APP) == ["v1"]
    assert pauses == [0.5, 1.0, 2.0]


def test_patience_has_an_end(registry: ScriptedRegistry, client: Client, pauses: list[float]) -> None:
    registry.on("GET", "tags", faults.status(502), times=99)
    with pytest.raises(ServerError):
        client.tags(APP)
    assert len(registry.requests("GET")) == 5
    assert pauses == [0.5, 1.0, 2.0, 4.0]


def test_the_registry_says_how_long_to_wait(registry: ScriptedRegistry, client: Client, pauses: list[float]) -> None:
    put_image(client, APP, tag="v1")
    registry.on("PUT", "manifests", faults.status(429, "TOOMANYREQUESTS", Retry_After="7"))
    raw = client.get_manifest(APP, "v1").raw
    client.put_manifest(APP, "v2", raw, types.OCI_IMAGE)
    assert pauses == [7.05]


def test_a_long_wait_is_left_to_the_caller(registry: ScriptedRegistry, client: Client, pauses: list[float]) -> None:
    when = datetime.now(UTC) + timedelta(hours=1)
    registry.on("GET", "tags", faults.status(429, Retry_After=format_datetime(when)))
    with pytest.raises(RateLimited, match=r"too many requests; it asks to wait 3[56]") as caught:
        client.tags(APP)
    assert caught.value.retry_after
    assert 3500 < caught.value.retry_after <= 3600
    assert not pauses


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "UNAUTHORIZED", Unauthorized),
        (403, "DENIED", Denied),
        (404, "NAME_UNKNOWN", NotFound),
        (405, "UNSUPPORTED", Unsupported),
        (418, "", RegistryError),
    ],
)
def test_refusals_are_told_apart_and_not_repeated(
    registry: ScriptedRegistry, client: Client, status: int, code: str, kind: type[RegistryError]
) -> None:
    registry.on("GET", "tags", faults.status(status, code), times=9)
    with pytest.raises(kind) as caught:
        client.tags(APP)
    assert caught.type is kind
    assert str(caught.value).startswith(f"prod at {registry.url}: the tags of {APP}: ")
    assert code in str(caught.value)
    assert len(registry.requests("GET")) == 1


@pytest.mark.parametrize("status", [200, 404])
def test_a_web_page_is_no_registry(registry: ScriptedRegistry, client: Client, status: int) -> None:
    registry.on("GET", "/v2/", faults.web_page(status), times=9)
    for ask in (
        client.ping,
        lambda: client.tags(APP),
        lambda: list(client.catalog()),
        lambda: client.get_manifest(APP, "v1"),
    ):
        with pytest.raises(NotARegistry, match="web page"):
            ask()


@pytest.mark.parametrize("body", [b"{", b'{"tags": 5}', b'{"tags": [5]}', b"\xff"])
def test_json_of_another_shape_is_no_answer(registry: ScriptedRegistry, client: Client, body: bytes) -> None:
    registry.tags[APP] = {}
    registry.on("GET", "tags", faults.other_body(body))
    with pytest.raises(NotARegistry):
        client.tags(APP)


def test_nobody_there(connect: Opener) -> None:
    with pytest.raises(Unreachable, match=r"it cannot be reached .nothing listens there"):
        connect("http://127.0.0.1:9", retries=1).ping()
    with pytest.raises(Unreachable, match="its name does not resolve"):
        connect("http://registry.invalid", retries=0).ping()


def test_the_credential_is_not_carried_to_another_host(
    registry: ScriptedRegistry, other: ScriptedRegistry, client: Client, connect: Opener
) -> None:
    put_image(client, APP, layers=(b"a layer",))
    digest = Digest.of(b"a layer")
    other.blobs["stored", digest] = b"a layer"
    registry.token, registry.challenge = "secret", 'Bearer realm="r"'

    class Holder:
        def authorization(self, *asked: object) -> str:
            return "Bearer secret"

    registry.on("GET", "blobs", faults.redirect(f"{other.url}/v2/stored/blobs/{digest}?signed=1"))
    assert connect(registry.url, auth=Holder()).get_blob(APP, digest) == b"a layer"
    assert registry.requests("GET", "blobs")[0].headers["Authorization"] == "Bearer secret"
    assert "Authorization" not in other.seen[0].headers


@pytest.mark.parametrize("location", ["http://[::1/x", "ftp://elsewhere.example/x", "http://:0/"])
def test_a_location_that_is_no_address_is_not_followed(
    registry: ScriptedRegistry, client: Client, location: str
) -> None:
    registry.on("GET", "blobs", faults.redirect(location))
    registry.on("POST", "uploads", faults.header("Location", location))
    with pytest.raises(RegistryError, match="where we do not go"):
        client.get_blob(APP, Digest.of(b"x"))
    with pytest.raises(RegistryError, match="where we do not go"):
        client.put_blob(APP, Digest.of(b"x"), b"x")


def test_redirects_end_somewhere(registry: ScriptedRegistry, client: Client) -> None:
    registry.on("GET", "blobs", faults.redirect("/v2/a/blobs/" + Digest.of(b"x")), times=99)
    with pytest.raises(NotARegistry, match="more than 5 redirects"):
        client.get_blob(APP, Digest.of(b"x"))
    registry.on("PUT", "manifests", faults.redirect("https://elsewhere.example/"))
    with pytest.raises(NotARegistry, match=r"redirects to https://elsewhere\.example/"):
        client.put_manifest(APP, "v1", b"{}", types.OCI_IMAGE)


def test_a_blob_is_read_from_any_byte_on(registry: ScriptedRegistry, client: Client) -> None:
    data = bytes(range(256)) * 20
    client.put_blob(APP, Digest.of(data), data)
    for serves_ranges in (True, False):
        registry.serves_ranges = serves_ranges
        stream = client.open_blob(APP, Digest.of(data), offset=1000)
        assert stream.read(7) + stream.read(10_000) == data[1000:]
        assert stream.read(1) == b""
        stream.close()


def test_a_range_that_was_not_asked_for_is_refused(registry: ScriptedRegistry, client: Client) -> None:
    client.put_blob(APP, Digest.of(b"hello"), b"hello")
    registry.on("GET", "blobs", faults.header("Content-Range", "bytes 4-4/5"))
    with pytest.raises(RegistryError, match="another range"):
        client.open_blob(APP, Digest.of(b"hello"), offset=2)


def test_a_cut_download_is_a_broken_one(registry: ScriptedRegistry, client: Client) -> None:
    client.put_blob(APP, Digest.of(b"hello"), b"hello")
    registry.on("GET", "blobs", faults.cut(2), times=9)
    stream = client.open_blob(APP, Digest.of(b"hello"))
    assert stream.read(2) == b"he"
    with pytest.raises(Dropped):
        stream.read(10)
    stream.close()
    with pytest.raises(Dropped, match="the connection was cut"):
        client.get_blob(APP, Digest.of(b"hello"))


def test_a_small_blob_is_hashed(registry: ScriptedRegistry, client: Client) -> None:
    registry.blobs[APP, str(Digest.of(b"hello"))] = b"jello"
    with pytest.raises(DigestMismatch, match="its content has another digest"):
        client.get_blob(APP, Digest.of(b"hello"))
    registry.blobs[APP, str(Digest.of(b"hello"))] = b"x" * 2000
    with pytest.raises(TooLarge):
        client.get_blob(APP, Digest.of(b"hello"), limit=1000)


def test_an_empty_blob_can_be_stored(registry: ScriptedRegistry, client: Client) -> None:
    client.put_blob(APP, Digest.of(b""), b"")
    assert client.head_blob(APP, Digest.of(b"")) == 0
    assert client.head_blob(APP, Digest.of(b"none")) is None


def test_content_that_ends_early_is_not_waited_for(client: Client) -> None:
    with pytest.raises(RegistryError, match="ended after 3 of 5 bytes"):
        client.upload_blob(APP, Digest.of(b"hello"), 5, io.BytesIO(b"hel"))
    client.upload_blob(APP, Digest.of(b"hello"), 5, io.BytesIO(b"hello"))
    assert client.get_blob(APP, Digest.of(b"hello")) == b"hello"


def test_only_201_is_a_mount(registry: ScriptedRegistry, client: Client) -> None:
    client.put_blob("base", Digest.of(b"x"), b"x")
    assert client.mount_blob(APP, Digest.of(b"x"), "base")
    registry.mounts = False
    assert not client.mount_blob("second", Digest.of(b"x"), "base")
    assert client.head_blob("second", Digest.of(b"x")) is None
    assert not registry.uploads, "the session that was opened instead is cancelled"


@pytest.mark.parametrize("patch_status", [202, 201])
def test_a_blob_that_a_proxy_calls_too_large_goes_in_chunks(
    registry: ScriptedRegistry, client: Client, patch_status: int
) -> None:
    data = bytes(1_200_000)
    registry.max_body = 600_000
    registry.on("PATCH", "uploads", lambda answer: replace(answer, status=patch_status), times=9)
    client.upload_blob(APP, Digest.of(data), len(data), io.BytesIO(data))
    assert client.head_blob(APP, Digest.of(data)) == len(data)
    ranges = [seen.headers["Content-Range"] for seen in registry.requests("PATCH")]
    assert ranges == ["0-524287", "524288-1048575", "1048576-1199999"]


@pytest.mark.parametrize("name", ["", "..", "a/../b", "a//b", "/a", "a?x=1", "a#b", "a b", "a%2e", "é", "a\r\nHost: x"])
def test_no_name_leaves_its_place_in_the_address(registry: ScriptedRegistry, client: Client, name: str) -> None:
    with pytest.raises(RegistryError, match="cannot be the name of a repository"):
        client.tags(name)
    assert not registry.seen


def test_deleting_a_tag_where_that_is_not_known(registry: ScriptedRegistry, client: Client) -> None:
    put_image(client, APP, tag="v1")
    registry.can_delete_tags = False
    with pytest.raises(Unsupported, match="it deletes no single tags"):
        client.delete_tag(APP, "v1")
    registry.can_delete_tags = True
    client.delete_tag(APP, "v1")
    with pytest.raises(NotFound):
        client.delete_tag(APP, "v1")
