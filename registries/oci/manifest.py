"""What does a manifest say? Bytes in, one frozen value out, or a sentence why not."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from registries.oci import mediatypes
from registries.oci.descriptor import Descriptor
from registries.oci.digest import Digest, InvalidDigest
from registries.oci.errors import RegistryError
from registries.oci.platform import Platform

MAX_MANIFEST_BYTES = 4 * 1024 * 1024

Kind = Literal["image", "index", "artifact"]

# What servers say when they do not know what they hold; the body decides then.
_VAGUE = frozenset({"", "application/json", "application/octet-stream", "text/plain"})


class InvalidManifest(RegistryError, ValueError):
    pass


@dataclass(frozen=True)
class Manifest:
    raw: bytes = field(repr=False)
    media_type: str
    digest: Digest
    kind: Kind
    artifact_type: str = ""
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] = ()
    subject: Descriptor | None = None
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def size(self) -> int:
        return len(self.raw)

    @property
    def children(self) -> tuple[Descriptor, ...]:
        """What an index lists that is itself a manifest."""
        return tuple(child for child in self.manifests if mediatypes.is_manifest(child.media_type))

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Config and layers, each digest once; an index may also list plain blobs."""
        listed = (child for child in self.manifests if not mediatypes.is_manifest(child.media_type))
        config = (self.config,) if self.config else ()
        return tuple({blob.digest: blob for blob in (*config, *self.layers, *listed)}.values())

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """Platforms an index offers, attestations left out."""
        offered = (c.platform for c in self.manifests if c.platform and not is_attestation(c))
        return tuple(dict.fromkeys(offered))

    def descriptor(self) -> Descriptor:
        return Descriptor(
            self.media_type, self.digest, self.size, annotations=self.annotations, artifact_type=self.artifact_type
        )


def is_attestation(descriptor: Descriptor) -> bool:
    """BuildKit lists provenance and SBOMs beside the platforms, as platform unknown/unknown.

    Its annotation alone says nothing: clients choose by platform, so what has one is run, whatever else is written on it."""
    return descriptor.platform is not None and descriptor.platform.is_unknown


def parse_manifest(raw: bytes, media_type: str, digest: Digest | None = None) -> Manifest:
    """Read Docker v2 manifest and list, OCI manifest, index and artifact.

    `digest` is only the name to keep (for sha512); the caller has compared it with the bytes.
    Raises InvalidManifest.
    """
    if len(raw) > MAX_MANIFEST_BYTES:
        raise InvalidManifest(f"the manifest has {len(raw):,} bytes; more than 4 MiB is not accepted")
    document = _load(raw)
    found = _media_type(document, mediatypes.bare(media_type))
    name = digest or Digest.of(raw)
    if mediatypes.is_index(found):
        return _index(raw, found, name, document)
    return _image(raw, found, name, document)


def _load(raw: bytes) -> dict[str, Any]:
    try:
        document = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidManifest("the manifest is not JSON") from error
    if not isinstance(document, dict):
        raise InvalidManifest("the manifest is JSON, but not an object")
    return document


def _media_type(document: dict[str, Any], header: str) -> str:
    stated = document.get("mediaType", "")
    if not isinstance(stated, str):
        raise InvalidManifest("the manifest has a mediaType that is no text")
    if header in mediatypes.SCHEMA1 or stated in mediatypes.SCHEMA1 or document.get("schemaVersion") == 1:
        raise InvalidManifest(
            "the manifest is of Docker schema 1, which current registries no longer take; "
            "push the image again with a current client"
        )
    if document.get("schemaVersion") not in (2, None) or isinstance(document.get("schemaVersion"), bool):
        raise InvalidManifest("the manifest has a schemaVersion other than 2")
    if stated and header not in _VAGUE and stated != header:
        raise InvalidManifest(f"the manifest calls itself {_shown(stated)}, but was served as {header}")
    _refuse_two_shapes(document)
    found = stated if stated else header if header not in _VAGUE else _guess(document)
    if not mediatypes.is_manifest(found):
        raise InvalidManifest(f"{_shown(found)} is not a media type of a manifest that we know")
    return found


def _refuse_two_shapes(document: dict[str, Any]) -> None:
    # One digest that reads as two different things lets a check see one and a client run the other.
    if "manifests" in document and ("layers" in document or "config" in document):
        raise InvalidManifest("the manifest is an index and an image at once; such content is refused")


def _guess(document: dict[str, Any]) -> str:
    if "manifests" in document:
        return mediatypes.OCI_INDEX
    return mediatypes.OCI_IMAGE if "config" in document else "a document without mediaType"


def _index(raw: bytes, media_type: str, digest: Digest, document: dict[str, Any]) -> Manifest:
    return Manifest(
        raw,
        media_type,
        digest,
        "index",
        artifact_type=_text(document, "artifactType"),
        manifests=_descriptors(document, "manifests", required=True),
        subject=_subject(document),
        annotations=_annotations(document),
    )


def _image(raw: bytes, media_type: str, digest: Digest, document: dict[str, Any]) -> Manifest:
    is_old_artifact = media_type == mediatypes.OCI_ARTIFACT
    config = None if is_old_artifact else parse_descriptor(document.get("config"), "config")
    is_plain = config is not None and mediatypes.is_config(config.media_type) and "artifactType" not in document
    fallback = config.media_type if config and not mediatypes.is_config(config.media_type) else ""
    return Manifest(
        raw,
        media_type,
        digest,
        "image" if is_plain else "artifact",
        artifact_type=_text(document, "artifactType") or fallback,
        config=config,
        layers=_descriptors(document, "blobs" if is_old_artifact else "layers"),
        subject=_subject(document),
        annotations=_annotations(document),
    )


def parse_descriptor(value: object, where: str) -> Descriptor:
    if not isinstance(value, dict):
        raise InvalidManifest(f"the manifest has no proper {where}")
    size = value.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise InvalidManifest(f"{where} has no proper size")
    if not isinstance(value.get("mediaType"), str) or not value["mediaType"]:
        raise InvalidManifest(f"{where} has no mediaType")
    try:
        digest = Digest.parse(_text(value, "digest"))
    except InvalidDigest as error:
        raise InvalidManifest(f"{where}: {error}") from error
    return Descriptor(
        value["mediaType"],
        digest,
        size,
        platform=_platform(value.get("platform")),
        annotations=_annotations(value),
        urls=_urls(value),
        artifact_type=_text(value, "artifactType"),
    )


def _descriptors(document: dict[str, Any], key: str, *, required: bool = False) -> tuple[Descriptor, ...]:
    values = document.get(key)
    if values is None and not required:
        return ()
    if not isinstance(values, list):
        raise InvalidManifest(f"the manifest has no proper list of {key}")
    return tuple(parse_descriptor(value, f"{key}[{place}]") for place, value in enumerate(values))


def _subject(document: dict[str, Any]) -> Descriptor | None:
    subject = document.get("subject")
    return None if subject is None else parse_descriptor(subject, "subject")


def _platform(value: object) -> Platform | None:
    if not isinstance(value, dict):
        return None
    return Platform(_text(value, "os"), _text(value, "architecture"), _text(value, "variant"))


def _urls(value: dict[str, Any]) -> tuple[str, ...]:
    urls = value.get("urls")
    return tuple(url for url in urls if isinstance(url, str)) if isinstance(urls, list) else ()


def _annotations(value: dict[str, Any]) -> dict[str, str]:
    annotations = value.get("annotations")
    if not isinstance(annotations, dict):
        return {}
    return {key: text for key, text in annotations.items() if isinstance(text, str)}


def _text(value: dict[str, Any], key: str) -> str:
    text = value.get(key)
    return text if isinstance(text, str) else ""


def _shown(value: object) -> str:
    return repr(value)[:80]
