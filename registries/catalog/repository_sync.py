"""How is one repository brought up to date? Read everything, then write in short transactions; a failed read writes nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F
from django.utils import timezone

from registries.catalog.diff import KnownTag, Move, TagDiff, diff_tags
from registries.catalog.models import Repository, SyncState, Tag, TagEvent
from registries.catalog.moves import write_moves
from registries.catalog.read import CatalogReader, Unread
from registries.catalog.store import batched, known_digests, store_manifests
from registries.oci.digest import Digest
from registries.oci.errors import RegistryError
from registries.oci.reference import is_tag

MOVES_AT_ONCE = 100


@dataclass
class RepositoryOutcome:
    """What one reading of one repository changed. ``warnings`` is content that was there and could not be taken in."""

    created: int = 0
    moved: int = 0
    warnings: list[str] = field(default_factory=list)


def sync_repository(
    reader: CatalogReader,
    repository: Repository,
    source: TagEvent.Source,
    check: Callable[[], None] = lambda: None,
) -> RepositoryOutcome:
    """Read all tags and record what is new, moved, missing or back. Raises RegistryError, having written nothing false.

    Missing tags are only counted here; taking them out is decided for the whole sweep. ``check`` is called between batches and
    raises when the work is to stop."""
    read_at = timezone.now()
    listed = reader.tags(repository.name)
    names = [name for name in listed if is_tag(name)]
    read = reader.digests(repository.name, names)
    diff = diff_tags(_known(repository), frozenset(listed), read)
    outcome = RepositoryOutcome(warnings=_oddities(listed, names, read))
    for moves in batched(diff.moves, MOVES_AT_ONCE):
        check()
        _write(reader, repository, moves, source, read_at, outcome)
    _count_missing(repository, diff, read_at)
    _write_state(repository, read_at, outcome.warnings)
    return outcome


def note_failure(repository: Repository, error: RegistryError) -> None:
    """Keep why a repository could not be read; what we knew of it stays."""
    SyncState.objects.update_or_create(
        repository=repository,
        defaults={"failed_at": timezone.now(), "failure_code": error.code, "failure_text": str(error)},
    )


def _known(repository: Repository) -> dict[str, KnownTag]:
    rows = repository.tags.values_list("name", "manifest__digest", "missing_reads")
    return {name: KnownTag(Digest.parse(digest), missing) for name, digest, missing in rows.iterator(chunk_size=2000)}


def _oddities(listed: Sequence[str], names: Sequence[str], read: dict[str, Digest]) -> list[str]:
    strange = [name for name in listed if not is_tag(name)]
    hollow = [name for name in names if name not in read]
    found = []
    if strange:
        found.append(f"{len(strange)} listed names are no tags, such as {strange[0][:80]!r}")
    if hollow:
        found.append(f"{len(hollow)} tags are listed without a manifest behind them, such as {hollow[0]}")
    return found


def _write(
    reader: CatalogReader,
    repository: Repository,
    moves: Sequence[Move],
    source: TagEvent.Source,
    read_at: datetime,
    outcome: RepositoryOutcome,
) -> None:
    trees = reader.trees(repository.name, {move.new for move in moves}, known_digests)
    store_manifests(trees.found)
    unread: dict[Digest, Unread] = dict(trees.unread)
    outcome.warnings += [f"{move.tag}: {unread[move.new].text}" for move in moves if move.new in unread]
    sound = [move for move in moves if move.new not in unread]
    # All that one reading finds was first seen at one moment: its batches say nothing about age.
    events = write_moves(repository, sound, at=read_at, source=source, read_at=read_at)
    outcome.created += sum(event.kind == TagEvent.Kind.CREATED for event in events)
    outcome.moved += sum(event.kind == TagEvent.Kind.MOVED for event in events)


def _count_missing(repository: Repository, diff: TagDiff, read_at: datetime) -> None:
    # A tag that a job has put since the list was read is not missing from it.
    for some in batched(diff.missing):
        missing = Tag.objects.filter(repository=repository, name__in=some, moved_at__lt=read_at, missing_reads__lt=100)
        missing.update(missing_reads=F("missing_reads") + 1)
    for some in batched(diff.returned):
        Tag.objects.filter(repository=repository, name__in=some).update(missing_reads=0)


def _write_state(repository: Repository, read_at: datetime, warnings: Sequence[str]) -> None:
    text = "; ".join(warnings[:5]) + (f"; and {len(warnings) - 5} more" if len(warnings) > 5 else "")
    SyncState.objects.update_or_create(
        repository=repository,
        defaults={
            "read_at": read_at,
            "failed_at": None,
            "failure_code": "unreadable_content" if warnings else "",
            "failure_text": text,
        },
    )
