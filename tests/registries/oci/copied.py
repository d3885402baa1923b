"""What the tests of copies carry, and from where to where."""

from registries.oci.client import Client
from registries.oci.digest import Digest
from tests.fakes.content import put_image

SNAP, PROD = "team/app", "prod/app"
MIB = 1024 * 1024
BIG = bytes(range(256)) * (5 * MIB // 256)


def big_image(client: Client) -> Digest:
    """An image with one layer of 5 MiB, tagged v1."""
    return Digest(put_image(client, SNAP, layers=(BIG,), tag="v1")["digest"])
