"""The handler of sync jobs: opens the registry and sweeps it."""

from contextlib import closing

from portal.jobs.run import Claim, JobFailed
from registries.access.connect import adapter_for, client_for
from registries.catalog.models import SyncJob
from registries.catalog.read import CatalogReader
from registries.catalog.run_sync import sweep_registry
from registries.catalog.setbacks import heed_pause
from registries.catalog.sync import note_failure, why_not_swept
from registries.oci.errors import RegistryError
from registries.oci.scope import CATALOG, Scope

ANY_REPOSITORY = Scope.repository("**", "pull")


def run_sync(claim: Claim[SyncJob]) -> None:
    """Sync one registry, or one repository of it."""
    registry, name = claim.job.registry, claim.job.repository_name
    reason = "" if name else why_not_swept(registry)
    if reason:
        raise JobFailed("not_swept", reason)
    heed_pause(registry)
    try:
        client = client_for(registry, "sync", [CATALOG, ANY_REPOSITORY])
    except RegistryError as error:
        note_failure(registry, str(error))
        raise JobFailed(error.code, str(error)) from error
    with closing(client), CatalogReader(client) as reader:
        sweep_registry(claim, reader, adapter_for(registry).list_repositories)
