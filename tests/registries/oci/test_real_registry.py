"""The same verbs against a real CNCF Distribution server."""

import io
import os

import pytest

from registries.oci import mediatypes as types
from registries.oci import uploads
from registries.oci.auth import MintedAuth
from registries.oci.client import Client
from registries.oci.copy import copy_artifact
from registries.oci.digest import Digest
from registries.oci.errors import Denied, NotFound, RegistryError, Unauthorized, Unreachable, Unsupported
from registries.oci.fallback import add_to_fallback
from registries.oci.referrers import as_referrer
from registries.oci.streams import ReadableBody
from registries.oci.verify import verify_artifact
from tests.fakes.content import put_image, put_signature, put_two_platforms
from tests.fakes.signing import Signer
from tests.real.registries import RegistryStarter
from tests.registries.oci.conftest import Opener

APP = "team/app"


def test_push_pull_list_and_delete(start_registry: RegistryStarter, connect: Opener) -> None:
    client = connect(start_registry().url)
    assert client.ping().api_version == "registry/2.0"
    digest = put_two_platforms(client, APP)
    assert list(client.catalog(1)) == [APP]
    assert client.tags(APP) == ["v1"]
    head = client.head_manifest(APP, "v1")
    assert head
    assert (head.digest, head.media_type) == (digest, types.OCI_INDEX)
    assert len(client.get_manifest(APP, "v1", digest).platforms) == 2
    with pytest.raises(Unsupported):
        client.delete_tag(APP, "v1")
    client.delete_manifest(APP, digest)
    assert client.tags(APP) == []
    assert list(client.catalog()) == [APP]
    with pytest.raises(NotFound, match="the tags of team/none: not found"):
        client.tags("team/none")


def test_blobs_go_in_whole_mounted_and_in_pieces(start_registry: RegistryStarter, connect: Opener) -> None:
    client = connect(start_registry().url)
    data = os.urandom(3_000_000)
    client.upload_blob(APP, Digest.of(data), len(data), io.BytesIO(data))
    assert client.mount_blob("team/second", Digest.of(data), APP)
    assert client.head_blob("team/second", Digest.of(data)) == len(data)
    assert not client.mount_blob("team/third", Digest.of(data), "team/none")
    stream = client.open_blob(APP, Digest.of(data), 2_999_990)
    assert stream.read(100) == data[-10:]
    stream.close()
    client.put_blob(APP, Digest.of(b""), b"")
    with pytest.raises(RegistryError, match="content and digest do not match"):
        client.upload_blob(APP, Digest.of(b"hello"), 5, io.BytesIO(b"jello"))


def test_chunks_are_taken_too(
    start_registry: RegistryStarter, connect: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(start_registry().url)
    data = os.urandom(1_200_000)
    monkeypatch.setattr(uploads, "CHUNKS", (500_000,))
    session = client.begin_upload(APP, Digest.of(data))
    assert session
    client._uploads._fill_in_chunks(session, Digest.of(data), ReadableBody(io.BytesIO(data), len(data)))
    assert client.head_blob(APP, Digest.of(data)) == len(data)


def test_an_artifact_with_its_signature_moves_between_registries(
    start_registry: RegistryStarter, connect: Opener
) -> None:
    source, target = (connect(start_registry(name).url, name) for name in ("snapshots", "prod"))
    digest = put_two_platforms(source, APP)
    signature = put_signature(source, APP, digest, source.get_manifest(APP, digest).size)
    add_to_fallback(source, APP, digest, [as_referrer(source.get_manifest(APP, signature))])
    result = copy_artifact(source, APP, digest, target, "prod/app", tags=["v1"])
    assert (result.manifests, result.referrers) == (5, 1)
    assert verify_artifact(target, "prod/app", digest).is_complete
    assert [d.digest for d in target.referrers("prod/app", digest)] == [signature]
    assert target.get_manifest("prod/app", "v1").raw == source.get_manifest(APP, "v1").raw
    again = copy_artifact(source, APP, digest, target, "prod/app", tags=["v1"])
    assert (again.manifests, again.blobs_copied) == (0, 0)
    within = copy_artifact(target, "prod/app", digest, target, "prod/second", tags=["v1"])
    assert (within.blobs_copied, within.bytes_copied) == (0, 0)


def test_tokens_open_what_they_name_and_nothing_else(start_registry: RegistryStarter, connect: Opener) -> None:
    signer = Signer(frozenset({APP, "team/second", "catalog"}))
    server = start_registry(token=signer.config, bundle=signer.bundle())
    client = connect(server.url, auth=MintedAuth(signer.mint))
    digest = put_two_platforms(client, APP)
    assert list(client.catalog()) == [APP]
    assert copy_artifact(client, APP, digest, client, "team/second", tags=["v1"]).blobs_mounted == 7
    client.delete_manifest("team/second", digest)
    for ask in (lambda: client.tags("team/other"), lambda: put_image(client, "team/other")):
        with pytest.raises(Denied, match="our token does not cover repository:team/other:"):
            ask()
    with pytest.raises(Unauthorized, match=r"token server 127\.0\.0\.1:9, which is not trusted"):
        connect(server.url).tags(APP)


def test_a_registry_that_goes_down_and_comes_back(start_registry: RegistryStarter, connect: Opener) -> None:
    server = start_registry("prod")
    client: Client = connect(server.url, retries=0)
    digest = put_two_platforms(client, APP)
    start_registry.stop(server)
    with pytest.raises(Unreachable, match="nothing listens there"):
        client.head_manifest(APP, "v1")
    start_registry.restart(server)
    assert verify_artifact(client, APP, digest).is_complete
