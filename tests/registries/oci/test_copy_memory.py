"""A layer may be larger than the machine's memory."""

import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256

import pytest

from registries.oci import mediatypes as types
from registries.oci.digest import Digest
from tests.fakes.content import encode, entry
from tests.real.registries import RegistryStarter
from tests.registries.oci.conftest import Opener

SIZE = 1024**3
MIB = 1024**2

_COPY = """
import resource, sys
from registries.oci.auth import Anonymous
from registries.oci.client import Client
from registries.oci.copy import copy_artifact
from registries.oci.digest import Digest
source, target = Client(sys.argv[1], Anonymous()), Client(sys.argv[2], Anonymous())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
copy_artifact(source, "team/app", Digest(sys.argv[3]), target, "prod/app", tags=["v1"])
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@dataclass
class Zeros:
    left: int

    def read(self, size: int = -1) -> bytes:
        piece = bytes(min(size, self.left))
        self.left -= len(piece)
        return piece


@pytest.mark.long
def test_a_copy_needs_no_more_memory_for_a_large_layer(start_registry: RegistryStarter, connect: Opener) -> None:
    source, target = start_registry("snapshots"), start_registry("prod")
    client = connect(source.url)
    hashed = sha256()
    for _ in range(SIZE // MIB):
        hashed.update(bytes(MIB))
    digest = Digest(f"sha256:{hashed.hexdigest()}")
    layer = {"mediaType": types.OCI_LAYER, "digest": digest, "size": SIZE}
    client.upload_blob("team/app", digest, SIZE, Zeros(SIZE))
    client.put_blob("team/app", Digest.of(b"{}"), b"{}")
    raw = encode({"schemaVersion": 2, "config": entry(types.OCI_CONFIG, b"{}"), "layers": [layer]})
    client.put_manifest("team/app", "v1", raw, types.OCI_IMAGE)
    command = [sys.executable, "-c", _COPY, source.url, target.url, Digest.of(raw)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=110)
    before, after = map(int, done.stdout.split())
    assert after - before < 32 * 1024, "KiB, a few blocks of 1 MiB and what the libraries need"
