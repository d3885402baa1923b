"""How do moves of tags become rows and history? One transaction per call, the repository locked; an intent tells who it was."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from registries.catalog.diff import Move
from registries.catalog.intents import fulfil_intents, open_intents
from registries.catalog.models import Manifest, Placement, Repository, Tag, TagEvent, TagIntent
from registries.catalog.store import BATCH, batched, events_since, manifests_by_digest, place_manifests, update_figures
from registries.oci.digest import Digest

Source = TagEvent.Source


@contextmanager
def locked(repository: Repository) -> Iterator[Repository]:
    """One writer per repository at a time; the row as it is now."""
    with transaction.atomic():
        yield Repository.objects.select_for_update(no_key=True).get(pk=repository.pk)


def write_moves(
    repository: Repository,
    moves: Sequence[Move],
    *,
    at: datetime,
    source: TagEvent.Source,
    actor_name: str = "",
    read_at: datetime | None = None,
) -> list[TagEvent]:
    """Create and move tags on manifests that are stored already; returns what changed.

    ``read_at`` is when the reading began: tags that a job has recorded since are left as the job says."""
    with locked(repository) as row:
        newer = events_since(row, read_at) if read_at else set()
        due = [move for move in moves if move.tag not in newer]
        manifests = manifests_by_digest({move.new for move in due})
        held = _tags(row, [move.tag for move in due])
        due = [move for move in due if move.new in manifests and not _is_there(held.get(move.tag), move)]
        if not due:
            return []
        place_manifests(row, {move.new for move in due}, at)
        _put_tags(row, due, held, manifests, at)
        events = _write_events(row, due, held, at, source, actor_name)
        update_figures(row, at)
        return events


def remove_tags(
    repository: Repository,
    tags: Iterable[str],
    *,
    at: datetime,
    source: TagEvent.Source,
    actor_name: str = "",
) -> list[TagEvent]:
    """Take tags out of the catalog; their history stays."""
    with locked(repository) as row:
        held = _tags(row, list(tags))
        if not held:
            return []
        intents = open_intents(row, held)
        explained = {name: intents[name, ""] for name in held if (name, "") in intents}
        events = TagEvent.objects.bulk_create(
            [
                _event(
                    row,
                    name,
                    TagEvent.Kind.REMOVED,
                    tag.manifest.digest,
                    "",
                    at,
                    source,
                    actor_name,
                    explained.get(name),
                )
                for name, tag in sorted(held.items())
            ],
            batch_size=BATCH,
        )
        fulfil_intents(explained.values(), at)
        for some in batched(tag.pk for tag in held.values()):
            Tag.objects.filter(pk__in=some).delete()
        update_figures(row, at)
        return events


def mark_gone(repository: Repository, digests: Iterable[Digest], at: datetime) -> None:
    """These manifests are in the repository no longer: the registry said so, or we deleted them."""
    with locked(repository) as row:
        changed = 0
        for some in batched(digests):
            here = Placement.objects.filter(repository=row, manifest__digest__in=some, absent_since=None)
            changed += here.update(absent_since=at)
        if changed:
            update_figures(row, at)


def _tags(repository: Repository, names: Sequence[str]) -> dict[str, Tag]:
    return {
        tag.name: tag
        for some in batched(names)
        for tag in repository.tags.filter(name__in=some).select_related("manifest")
    }


def _is_there(tag: Tag | None, move: Move) -> bool:
    return tag is not None and tag.manifest.digest == move.new


def _put_tags(
    repository: Repository,
    moves: Sequence[Move],
    held: Mapping[str, Tag],
    manifests: Mapping[Digest, Manifest],
    at: datetime,
) -> None:
    fresh = [
        Tag(repository=repository, name=move.tag, manifest=manifests[move.new], first_seen_at=at, moved_at=at)
        for move in moves
        if move.tag not in held
    ]
    Tag.objects.bulk_create(fresh, batch_size=BATCH)
    moved = [
        Tag(pk=held[move.tag].pk, manifest=manifests[move.new], moved_at=at, missing_reads=0)
        for move in moves
        if move.tag in held
    ]
    Tag.objects.bulk_update(moved, ["manifest", "moved_at", "missing_reads"], batch_size=BATCH)


def _write_events(
    repository: Repository,
    moves: Sequence[Move],
    held: Mapping[str, Tag],
    at: datetime,
    source: TagEvent.Source,
    actor_name: str,
) -> list[TagEvent]:
    intents = open_intents(repository, [move.tag for move in moves])
    explained = {move.tag: found for move in moves if (found := intents.get((move.tag, str(move.new))))}
    events = []
    for move in moves:
        tag = held.get(move.tag)
        kind = TagEvent.Kind.MOVED if tag else TagEvent.Kind.CREATED
        old = tag.manifest.digest if tag else ""
        events.append(
            _event(repository, move.tag, kind, old, move.new, at, source, actor_name, explained.get(move.tag))
        )
    fulfil_intents(explained.values(), at)
    return TagEvent.objects.bulk_create(events, batch_size=BATCH)


def _event(
    repository: Repository,
    tag: str,
    kind: TagEvent.Kind,
    old: str,
    new: str,
    at: datetime,
    source: TagEvent.Source,
    actor_name: str,
    intent: TagIntent | None,
) -> TagEvent:
    return TagEvent(
        repository=repository,
        tag=tag,
        kind=kind,
        source=Source.JOB if intent else source,
        old_digest=old,
        new_digest=new,
        actor_name=actor_name or (intent.cause_name if intent else ""),
        intent=intent,
        at=at,
    )
