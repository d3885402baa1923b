"""Is an artifact whole at a registry, asked of the registry itself? For operations and jobs, never for a page."""

from contextlib import closing

from registries.access.connect import client_for
from registries.oci.digest import Digest
from registries.oci.scope import Scope
from registries.oci.verify import Verification, verify_artifact
from registries.topology.models import Registry


def verify_placement(registry: Registry, repository: str, digest: Digest, *, principal: str = "sync") -> Verification:
    """Read back manifest, children and blobs; raises RegistryError when the registry does not answer."""
    with closing(client_for(registry, principal, [Scope.repository(repository, "pull")])) as client:
        return verify_artifact(client, repository, digest)
