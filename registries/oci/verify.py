"""Is an artifact whole at a registry? Read back, never assumed."""

from dataclasses import dataclass

from registries.oci.artifact import blobs_of
from registries.oci.client import Client
from registries.oci.crew import Crew
from registries.oci.descriptor import Descriptor
from registries.oci.digest import Digest
from registries.oci.errors import Denied, DigestMismatch, NotFound
from registries.oci.manifest import Manifest


@dataclass(frozen=True)
class Verification:
    """`checked` counts manifests and blobs asked for; `damaged` are those that answered with other content or size."""

    missing: tuple[Digest, ...]
    checked: int
    damaged: tuple[Digest, ...] = ()

    @property
    def is_complete(self) -> bool:
        return self.checked > 0 and not self.missing and not self.damaged


def verify_artifact(client: Client, repository: str, digest: Digest, *, workers: int = 8) -> Verification:
    """Walk from the registry's own manifest down: each manifest read and hashed, each blob asked for its size."""
    missing: list[Digest] = []
    damaged: list[Digest] = []
    found: dict[Digest, Manifest] = {}
    asked: set[Digest] = set()
    with Crew(workers) as crew:
        wanted = {digest}
        while wanted:
            asked |= wanted
            for name, answer in zip(wanted, crew.each(lambda d: _manifest(client, repository, d), wanted), strict=True):
                if isinstance(answer, Manifest):
                    found[name] = answer
                else:
                    (missing if answer == "missing" else damaged).append(name)
            wanted = {c.digest for name in wanted if name in found for c in found[name].children} - asked
        blobs = blobs_of(found.values())
        for blob, state in zip(blobs, crew.each(lambda b: blob_state(client, repository, b), blobs), strict=True):
            if state != "well":
                (missing if state == "missing" else damaged).append(blob.digest)
    return Verification(tuple(missing), len(asked) + len(blobs), tuple(damaged))


def blob_state(client: Client, repository: str, blob: Descriptor) -> str:
    size = client.head_blob(repository, blob.digest)
    if size is None:
        return "missing"
    return "well" if size == blob.size else "damaged"


def has_manifest(client: Client, repository: str, digest: Digest) -> bool:
    """Whether it is there with the right bytes. A repository that is yet to be made may answer "denied"."""
    try:
        client.get_manifest(repository, digest, digest)
    except (NotFound, Denied):
        return False
    return True


def _manifest(client: Client, repository: str, digest: Digest) -> Manifest | str:
    try:
        return client.get_manifest(repository, digest, digest)
    except NotFound:
        return "missing"
    except DigestMismatch:
        return "damaged"
