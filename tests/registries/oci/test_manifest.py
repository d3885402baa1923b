"""What a manifest says, and when it is refused."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registries.oci import mediatypes as types
from registries.oci.config import ImageConfig, parse_config
from registries.oci.descriptor import Descriptor
from registries.oci.digest import Digest
from registries.oci.errors import RegistryError
from registries.oci.manifest import InvalidManifest, is_attestation, parse_manifest
from registries.oci.platform import Platform
from tests.fakes.content import encode, entry, image_manifest

# A busy machine is no fault of the parser.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_an_image_lists_each_blob_once() -> None:
    raw = image_manifest(b"{}", [b"same", b"other", b"same"])
    manifest = parse_manifest(raw, types.OCI_IMAGE)
    assert (manifest.kind, manifest.digest, manifest.raw) == ("image", Digest.of(raw), raw)
    assert [blob.digest for blob in manifest.blobs] == [Digest.of(b"{}"), Digest.of(b"same"), Digest.of(b"other")]


def test_an_index_tells_platforms_from_attestations() -> None:
    children = [
        entry(types.OCI_IMAGE, b"1", platform={"os": "linux", "architecture": "arm", "variant": "v7"}),
        entry(types.OCI_IMAGE, b"2", platform={"os": "unknown", "architecture": "unknown"}),
        entry("application/x.plain", b"3"),
    ]
    index = parse_manifest(encode({"schemaVersion": 2, "manifests": children}), types.OCI_INDEX)
    assert index.kind == "index"
    assert index.platforms == (Platform("linux", "arm", "v7"),)
    assert [is_attestation(child) for child in index.children] == [False, True]
    assert [blob.digest for blob in index.blobs] == [Digest.of(b"3")]


def test_what_has_a_platform_is_run_and_so_is_no_attestation() -> None:
    """Or an index could hide from every gate what each client pulls."""
    mark = {"vnd.docker.reference.type": "attestation-manifest"}
    for platform in (Platform("linux", "amd64"), None):
        hidden = Descriptor(types.OCI_IMAGE, Digest.of(b"x"), 1, platform=platform, annotations=mark)
        assert not is_attestation(hidden)


def test_docker_types_are_read_too() -> None:
    config, layer = (
        entry(types.DOCKER_CONFIG, b"{}"),
        entry(types.DOCKER_LAYER, b"x", urls=["https://elsewhere.example/x"]),
    )
    document = {"schemaVersion": 2, "mediaType": types.DOCKER_IMAGE, "config": config, "layers": [layer]}
    image = parse_manifest(encode(document), types.DOCKER_IMAGE + "; charset=utf-8")
    assert image.kind == "image"
    assert image.layers[0].is_foreign
    listed = parse_manifest(
        encode({"schemaVersion": 2, "mediaType": types.DOCKER_LIST, "manifests": []}), types.DOCKER_LIST
    )
    assert listed.kind == "index"


def test_an_artifact_names_its_type() -> None:
    chart = {"schemaVersion": 2, "config": entry("application/vnd.cncf.helm.config.v1+json", b"{}"), "layers": []}
    assert parse_manifest(encode(chart), types.OCI_IMAGE).artifact_type == "application/vnd.cncf.helm.config.v1+json"
    typed = {**chart, "artifactType": "application/x.sbom", "subject": entry(types.OCI_IMAGE, b"whom")}
    manifest = parse_manifest(encode(typed), types.OCI_IMAGE)
    assert (manifest.kind, manifest.artifact_type) == ("artifact", "application/x.sbom")
    assert manifest.subject
    assert manifest.subject.digest == Digest.of(b"whom")
    old = {"mediaType": types.OCI_ARTIFACT, "artifactType": "a/b", "blobs": [entry("a/c", b"blob")]}
    assert parse_manifest(encode(old), types.OCI_ARTIFACT).blobs[0].digest == Digest.of(b"blob")


def test_the_body_decides_where_the_server_is_vague() -> None:
    assert parse_manifest(image_manifest(b"{}", []), "application/octet-stream").media_type == types.OCI_IMAGE
    assert parse_manifest(b'{"schemaVersion":2,"manifests":[]}', "").media_type == types.OCI_INDEX


def _image(**changes: Any) -> bytes:
    return encode({**json.loads(image_manifest(b"{}", [b"x"])), **changes})


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not an object"),
        (b"{}", "not a media type"),
        (b'{"schemaVersion":1,"fsLayers":[]}', "schema 1"),
        (_image(schemaVersion=3), "other than 2"),
        (_image(mediaType=types.OCI_INDEX), "was served as"),
        (_image(mediaType=["x"]), "no text"),
        (_image(manifests=[]), "index and an image at once"),
        (_image(config=None), "config"),
        (_image(config={"mediaType": "x", "digest": "sha256:1", "size": 1}), "is not a digest"),
        (_image(layers="x"), "list of layers"),
        (_image(layers=[entry("", b"x")]), "mediaType"),
        (_image(layers=[entry("x", b"x", size=-1)]), "size"),
        (_image(layers=[entry("x", b"x", size=True)]), "size"),
        (_image(layers=[entry("x", b"x", size=1.5)]), "size"),
        (_image(subject=[]), "subject"),
        (b" " * (4 * 1024 * 1024 + 1), "4 MiB"),
    ],
)
def test_bad_manifests_are_refused_with_the_reason(raw: bytes, why: str) -> None:
    media_type = "" if raw in (b"{}",) else types.OCI_IMAGE
    with pytest.raises(InvalidManifest, match=why) as caught:
        parse_manifest(raw, media_type)
    assert isinstance(caught.value, RegistryError)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@patient
@given(
    st.dictionaries(
        st.sampled_from(["config", "layers", "manifests", "mediaType", "subject", "annotations"]), json_values
    )
)
def test_no_json_breaks_the_parsers(document: dict[str, Any]) -> None:
    raw = json.dumps(document).encode()
    parse_config(raw)
    with contextlib.suppress(InvalidManifest):
        assert parse_manifest(raw, types.OCI_IMAGE).raw == raw


def test_a_config_tells_labels_platform_and_age() -> None:
    config = parse_config(encode({
        "created": "2026-03-01T10:20:30.123456789+02:00",
        "os": "linux",
        "architecture": "arm64",
        "config": {"Labels": {"a": "b", "bad": 7}, "Cmd": ["sh"], "ExposedPorts": {"80/tcp": {}}, "User": "65534"},
        "rootfs": {"diff_ids": [str(Digest.of(b"x"))]},
        "history": [{"created_by": "COPY"}, None],
    }))  # fmt: skip
    assert config.created == datetime(2026, 3, 1, 8, 20, 30, 123456, UTC)
    assert config.platform == Platform("linux", "arm64")
    assert (config.labels, config.command, config.exposed_ports, config.user) == (
        {"a": "b"},
        ("sh",),
        ("80/tcp",),
        "65534",
    )
    assert config.diff_ids == (Digest.of(b"x"),)
    assert config.history == ("COPY", "")


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b"\xff", b'{"created": 5, "config": [], "rootfs": 1, "history": {}}', b'{"created": "soon"}'],
)
def test_an_odd_config_is_an_empty_one(raw: bytes) -> None:
    assert parse_config(raw) == ImageConfig()


def test_a_config_from_before_time_began_is_no_error() -> None:
    assert parse_config(b'{"created": "0001-01-01T00:00:00+14:00"}').created is None
    assert parse_config(b'{"created": "1970-01-01T00:00:00"}').created == datetime(1970, 1, 1, tzinfo=UTC)
