"""How is a whole registry brought up to date? Repository by repository; one that fails is named and the others go on.

Nothing disappears from the catalog by a read that failed or ended early: tags go after two clean reads without them, and a
sweep that would take too many stops before the first and asks a person."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from portal.jobs.run import Claim
from registries.catalog.absence import brake_for, mark_repository_absent, remove_missing_tags
from registries.catalog.diff import Brake
from registries.catalog.models import Repository, SyncJob, SyncState, TagEvent
from registries.catalog.observe import repository_row
from registries.catalog.read import CatalogReader
from registries.catalog.repository_sync import note_failure, sync_repository
from registries.oci.errors import RateLimited, RegistryError

GIVE_UP_AFTER = 3
MAX_NAME_BYTES = 255


@dataclass
class Sweep:
    """One run over one registry. ``listed`` is its complete list of repositories, None when only some were asked for."""

    claim: Claim[SyncJob]
    reader: CatalogReader
    listed: frozenset[str] | None
    is_baseline: bool
    read: list[Repository] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    created: int = 0
    moved: int = 0
    removed: int = 0
    brake: Brake | None = None
    _failed_in_a_row: int = 0

    def run(self, names: Iterable[str]) -> None:
        """Raises RegistryError when the registry itself has gone away in the middle."""
        self._read_all(sorted(names))
        self.brake = brake_for(self.read)
        if self.brake is None:
            for row in self.read:
                self.removed += remove_missing_tags(row, self.reader)
                if self.listed is not None and row.name not in self.listed:
                    mark_repository_absent(row)

    @property
    def has_changed(self) -> bool:
        return bool(self.created or self.moved or self.removed)

    def _read_all(self, names: list[str]) -> None:
        for done, name in enumerate(names):
            self.claim.check()
            self.claim.progress(done, len(names), name, "repositories")
            if is_storable(name):
                self._read(repository_row(self.claim.job.registry, name))
            else:
                self.failures.append(f"{name[:80]!r} cannot be the name of a repository and was left out")
        self.claim.progress(len(names), len(names), "", "repositories")

    def _read(self, row: Repository) -> None:
        try:
            outcome = sync_repository(self.reader, row, self._source(row), self.claim.check)
        except RegistryError as error:
            self._note(row, error)
            return
        self._failed_in_a_row = 0
        self.read.append(row)
        self.created += outcome.created
        self.moved += outcome.moved

    def _note(self, row: Repository, error: RegistryError) -> None:
        note_failure(row, error)
        self.failures.append(f"{row.name}: {error}")
        self._failed_in_a_row = self._failed_in_a_row + 1 if error.is_retryable else 0
        # The rest of ten thousand repositories would each wait for the same time-out.
        if isinstance(error, RateLimited) or self._failed_in_a_row >= GIVE_UP_AFTER:
            raise error

    def _source(self, row: Repository) -> TagEvent.Source:
        """What was there when the registry joined did not move; nor did what its first sync could not read."""
        if self.is_baseline or SyncState.objects.filter(repository=row, read_at=None, failed_at__isnull=False).exists():
            return TagEvent.Source.BASELINE
        return TagEvent.Source.SYNC


def is_storable(name: str) -> bool:
    """Whether a listed name can be a row at all; the client refuses the rest of what cannot be a repository."""
    return name.isascii() and name.isprintable() and 0 < len(name) <= MAX_NAME_BYTES
