"""Images for tests, put into a registry by way of our client."""

import json
from collections.abc import Sequence
from typing import Any

from registries.oci import mediatypes
from registries.oci.client import Client
from registries.oci.digest import Digest

Entry = dict[str, Any]


def entry(media_type: str, data: bytes, **more: Any) -> Entry:
    return {"mediaType": media_type, "digest": str(Digest.of(data)), "size": len(data), **more}


def encode(document: object) -> bytes:
    return json.dumps(document).encode()


def put_image(
    client: Client,
    repository: str,
    *,
    layers: Sequence[bytes] = (b"a layer",),
    architecture: str = "amd64",
    tag: str | None = None,
    labels: dict[str, str] | None = None,
    **more: Any,
) -> Entry:
    """One image with its blobs; returns its entry for an index. `more` are further members of the manifest."""
    config = encode({"os": "linux", "architecture": architecture, "config": {"Labels": labels or {}}})
    for blob in (config, *layers):
        client.put_blob(repository, Digest.of(blob), blob)
    raw = image_manifest(config, layers, **more)
    client.put_manifest(repository, tag or Digest.of(raw), raw, mediatypes.OCI_IMAGE)
    platform = {"os": "linux", "architecture": architecture}
    return entry(mediatypes.OCI_IMAGE, raw, platform=platform)


def image_manifest(config: bytes, layers: Sequence[bytes], **more: Any) -> bytes:
    return encode(
        {
            "schemaVersion": 2,
            "mediaType": mediatypes.OCI_IMAGE,
            "config": entry(mediatypes.OCI_CONFIG, config),
            "layers": [entry(mediatypes.OCI_LAYER, layer) for layer in layers],
            **more,
        }
    )


def put_index(client: Client, repository: str, children: Sequence[Entry], *, tag: str | None = None) -> Digest:
    raw = encode({"schemaVersion": 2, "mediaType": mediatypes.OCI_INDEX, "manifests": list(children)})
    return client.put_manifest(repository, tag or Digest.of(raw), raw, mediatypes.OCI_INDEX).digest


def put_two_platforms(client: Client, repository: str, tag: str = "v1") -> Digest:
    """amd64 and arm64 that share a layer, and BuildKit's attestation beside them."""
    children = [
        put_image(client, repository, architecture=name, layers=(b"shared", name.encode() * 1000))
        for name in ("amd64", "arm64")
    ]
    attestation = put_image(client, repository, layers=(b"in-toto",), architecture="unknown")
    attestation["platform"] = {"os": "unknown", "architecture": "unknown"}
    attestation["annotations"] = {"vnd.docker.reference.type": "attestation-manifest"}
    return put_index(client, repository, [*children, attestation], tag=tag)


def put_signature(client: Client, repository: str, subject: Digest, size: int, note: str = "signature") -> Digest:
    """A referrer: a manifest whose subject is another."""
    whom = {"mediaType": mediatypes.OCI_INDEX, "digest": str(subject), "size": size}
    made = put_image(client, repository, layers=(note.encode(),), subject=whom, artifactType="application/x.signature")
    return Digest(made["digest"])
