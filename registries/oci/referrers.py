"""Who points at a manifest? The index of referrers, as the API or a fallback tag gives it (distribution-spec, "Referrers")."""

import json
from collections.abc import Iterable

from registries.oci import mediatypes
from registries.oci.descriptor import Descriptor
from registries.oci.digest import Digest
from registries.oci.manifest import InvalidManifest, Manifest, parse_manifest

COSIGN_SUFFIXES = (".sig", ".att", ".sbom")


def parse_referrers(raw: bytes) -> tuple[Descriptor, ...]:
    """The descriptors of an index of referrers; raises InvalidManifest when it is none."""
    index = parse_manifest(raw, mediatypes.OCI_INDEX)
    if index.kind != "index":
        raise InvalidManifest("the list of referrers is not an index")
    return index.manifests


def digest_tags(digest: Digest, tags: Iterable[str]) -> tuple[str, ...]:
    """Cosign's tags for a digest, of those that exist: `sha256-<hex>.sig`, `.att`, `.sbom`."""
    wanted = {digest.fallback_tag + suffix for suffix in COSIGN_SUFFIXES}
    return tuple(sorted(wanted.intersection(tags)))


def as_referrer(manifest: Manifest) -> Descriptor:
    """How an index of referrers lists a manifest: its artifact type, or its config's type."""
    fallback = manifest.config.media_type if manifest.config else ""
    return Descriptor(
        manifest.media_type,
        manifest.digest,
        manifest.size,
        annotations=manifest.annotations,
        artifact_type=manifest.artifact_type or fallback,
    )


def merge_fallback(current: bytes | None, added: Iterable[Descriptor]) -> bytes | None:
    """The fallback index with `added` in it, or None when all of them were there already."""
    present = parse_referrers(current) if current is not None else ()
    fresh = {d.digest: d for d in added if d.digest not in {known.digest for known in present}}
    if not fresh:
        return None
    listed = [descriptor.as_json() for descriptor in (*present, *fresh.values())]
    document = {"schemaVersion": 2, "mediaType": mediatypes.OCI_INDEX, "manifests": listed}
    return json.dumps(document, separators=(",", ":")).encode()
