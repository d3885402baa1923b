"""What a sync job does: list, sweep, and say how it went. A registry that is down changes nothing but its state."""

from collections.abc import Callable, Iterable

from django.utils import timezone

from portal.jobs.queue import wake
from portal.jobs.run import Claim, JobFailed
from registries.catalog.models import Repository, SyncJob
from registries.catalog.read import CatalogReader
from registries.catalog.setbacks import retry_or_fail
from registries.catalog.sweep import Sweep
from registries.catalog.sync import note_failure, note_success, registry_state, schedule_next
from registries.oci.client import Client
from registries.oci.errors import Denied, NotARegistry, NotFound, RegistryError, Unauthorized, Unsupported
from registries.topology.models import ZoneKind

NO_CATALOG = (NotFound, Unsupported, Denied, Unauthorized, NotARegistry)
DAY_SECONDS = 86_400

ListRepositories = Callable[[Client], Iterable[str]]


def sweep_registry(claim: Claim[SyncJob], reader: CatalogReader, list_repositories: ListRepositories) -> None:
    """The job with its client given."""
    registry, name = claim.job.registry, claim.job.repository_name
    is_baseline = registry_state(registry).listed_at is None
    listed = None if name else _list(claim, reader, list_repositories)
    known = Repository.objects.filter(registry=registry, absent_since=None).values_list("name", flat=True)
    sweep = Sweep(claim, reader, listed, is_baseline and not name)
    try:
        sweep.run([name] if listed is None else listed | set(known))
    except RegistryError as error:
        note_failure(registry, f"The sync stopped in the middle: {error}")
        raise retry_or_fail(registry, error, claim.job.attempt) from error
    finally:
        _write_counts(claim, sweep)
    _finish(claim, sweep)


def _list(claim: Claim[SyncJob], reader: CatalogReader, list_repositories: ListRepositories) -> frozenset[str]:
    """Every name, or an error: a list that ended early is no list."""
    registry = claim.job.registry
    try:
        return frozenset(list_repositories(reader.client))
    except RegistryError as error:
        note_failure(registry, str(error))
        if registry.zone.kind == ZoneKind.UPSTREAM and isinstance(error, NO_CATALOG):
            schedule_next(registry, timezone.now(), after_seconds=DAY_SECONDS)
            raise JobFailed(
                "no_catalog", f"{registry} does not list its repositories, so only single ones can be synced. ({error})"
            ) from error
        raise retry_or_fail(registry, error, claim.job.attempt) from error


def _write_counts(claim: Claim[SyncJob], sweep: Sweep) -> None:
    claim.write(
        repositories_read=len(sweep.read),
        repositories_failed=len(sweep.failures),
        tags_created=sweep.created,
        tags_moved=sweep.moved,
        tags_removed=sweep.removed,
        requests_sent=sweep.reader.requests_sent,
    )


def _finish(claim: Claim[SyncJob], sweep: Sweep) -> None:
    brake_text = sweep.brake.text if sweep.brake else ""
    note_success(
        claim.job.registry,
        is_complete=sweep.listed is not None,
        failures=len(sweep.failures),
        brake_text=brake_text,
    )
    if sweep.has_changed:
        wake("promotions.replication.reconcile")
    if brake_text:
        claim.job.reason_code, claim.job.reason_text = "braked", brake_text
    elif sweep.failures:
        claim.job.reason_code = "partly_read"
        claim.job.reason_text = "; ".join(sweep.failures[:5])
    if claim.job.repository_name and sweep.failures:
        raise JobFailed("unread", sweep.failures[0])
