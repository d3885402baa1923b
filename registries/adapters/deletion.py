"""How does one tag go, and nothing else? By the ladder that also works where the registry cannot delete tags."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from registries.oci import mediatypes
from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.oci.errors import Incomplete, RegistryError, TagMoved, Unsupported

Way = Literal["tag", "digest", "placeholder", "gone"]

# An empty tar archive, gzipped: the smallest layer that every registry takes.
EMPTY_LAYER = bytes.fromhex("1f8b080000096e8800ff621805a360148c5800080000ffff2eafb5ef00040000")


@dataclass(frozen=True)
class _Family:
    manifest: str
    config: str
    layer: str


_OCI = _Family(mediatypes.OCI_IMAGE, mediatypes.OCI_CONFIG, mediatypes.OCI_LAYER)
_DOCKER = _Family(mediatypes.DOCKER_IMAGE, mediatypes.DOCKER_CONFIG, mediatypes.DOCKER_LAYER)


def delete_tag(
    client: Client,
    repository: str,
    tag: str,
    *,
    digest: Digest,
    siblings: Sequence[str],
    keep_manifest: bool = False,
    can_delete_tags: bool = True,
) -> Way:
    """See Adapter.delete_tag. Raises TagMoved when the tag is somewhere else by now, Incomplete when more went than should.

    The ladder: delete the tag itself; else the digest, if no other tag and nothing else needs it;
    else move the tag to a placeholder of its own and delete that.
    """
    held = client.head_manifest(repository, tag)
    if held is None:
        return "gone"
    if held.digest != digest:
        raise TagMoved(
            f"{client.label}: {repository}:{tag} points to {held.digest} by now, not to {digest}; it was left alone"
        )
    others = [name for name in siblings if name != tag]
    is_needed = bool(others) or keep_manifest
    way = _delete(client, repository, tag, digest, held.media_type, is_needed, can_delete_tags)
    _check(client, repository, tag, digest, others, keep_manifest)
    return way


def _delete(
    client: Client, repository: str, tag: str, digest: Digest, media_type: str, is_needed: bool, can_delete_tags: bool
) -> Way:
    if can_delete_tags:
        try:
            client.delete_tag(repository, tag)
            return "tag"
        except Unsupported:
            pass  # the next rung
    if not is_needed:
        client.delete_manifest(repository, digest)
        return "digest"
    placeholder = _put_placeholder(client, repository, tag, media_type)
    client.delete_manifest(repository, placeholder)
    return "placeholder"


def _put_placeholder(client: Client, repository: str, tag: str, media_type: str) -> Digest:
    """Move the tag to content that nothing else can share, of the family the repository already holds.

    If somebody pushes the tag in between, deleting the placeholder's digest does that push no harm.
    """
    family = _DOCKER if media_type in (mediatypes.DOCKER_IMAGE, mediatypes.DOCKER_LIST) else _OCI
    config = _bytes(
        {
            "architecture": "unknown",
            "os": "unknown",
            "config": {"Labels": {"portreeve.placeholder": uuid.uuid4().hex}},
            "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(bytes(1024)))]},
        }
    )
    client.put_blob(repository, Digest.of(config), config)
    client.put_blob(repository, Digest.of(EMPTY_LAYER), EMPTY_LAYER)
    manifest = _bytes(
        {
            "schemaVersion": 2,
            "mediaType": family.manifest,
            "config": _entry(family.config, config),
            "layers": [_entry(family.layer, EMPTY_LAYER)],
        }
    )
    return client.put_manifest(repository, tag, manifest, family.manifest).digest


def _check(
    client: Client, repository: str, tag: str, digest: Digest, others: Sequence[str], keep_manifest: bool
) -> None:
    """Success is what is read back: the tag is gone, and every other still resolves."""
    now = client.head_manifest(repository, tag)
    if now is not None and now.digest == digest:
        raise RegistryError(f"{client.label}: {repository}:{tag} was deleted and is still there")
    lost = [
        name for name in others if (held := client.head_manifest(repository, name)) is None or held.digest != digest
    ]
    if keep_manifest and client.head_manifest(repository, digest) is None:
        lost.append(str(digest))
    if lost:
        raise Incomplete(
            f"{client.label}: deleting {repository}:{tag} also took {', '.join(lost)}; "
            f"put manifest {digest} back from its kept bytes, before the registry collects garbage"
        )


def _entry(media_type: str, data: bytes) -> dict[str, str | int]:
    return {"mediaType": media_type, "digest": str(Digest.of(data)), "size": len(data)}


def _bytes(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
