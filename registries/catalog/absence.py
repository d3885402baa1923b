"""When is something gone? After two clean reads without it, and never too much of it by one sweep."""

from collections.abc import Iterable, Sequence

from django.db.models import QuerySet
from django.utils import timezone

from registries.catalog.diff import CONFIRMING_READS, Brake, brake_sweep
from registries.catalog.models import Placement, Repository, Tag, TagEvent
from registries.catalog.moves import locked, mark_gone, remove_tags
from registries.catalog.read import CatalogReader
from registries.catalog.store import batched, update_figures
from registries.oci.digest import Digest
from registries.oci.errors import RegistryError


def missing_tags(repositories: Sequence[Repository] | QuerySet[Repository]) -> QuerySet[Tag]:
    """Tags that enough clean reads in a row lacked."""
    return Tag.objects.filter(repository__in=repositories, missing_reads__gte=CONFIRMING_READS)


def brake_for(repositories: Sequence[Repository]) -> Brake | None:
    """Whether removing what is missing from these repositories would be too much at once."""
    known = sum(Tag.objects.filter(repository__in=some).count() for some in batched(repositories))
    going = sum(missing_tags(some).count() for some in batched(repositories))
    return brake_sweep(known, going)


def remove_missing_tags(repository: Repository, reader: CatalogReader | None = None) -> int:
    """Take out a repository's missing tags; how many. With a reader, manifests that lost their tags are asked for."""
    names = list(missing_tags([repository]).values_list("name", flat=True))
    if not names:
        return 0
    events = remove_tags(repository, names, at=timezone.now(), source=TagEvent.Source.SYNC)
    if reader is not None:
        _look_after_manifests(reader, repository, {Digest.parse(event.old_digest) for event in events})
    return len(events)


def mark_repository_absent(repository: Repository) -> None:
    """The registry knows it no more: neither it nor anything in it is there."""
    now = timezone.now()
    with locked(repository) as row:
        if row.absent_since is None and not row.tags.exists():
            Placement.objects.filter(repository=row, absent_since=None).update(absent_since=now)
            Repository.objects.filter(pk=row.pk).update(absent_since=now)
            update_figures(row, now)


def _look_after_manifests(reader: CatalogReader, repository: Repository, digests: Iterable[Digest]) -> None:
    """A tag that went may have taken its manifest along. A failed question leaves it as it was."""
    tagged = set(repository.tags.values_list("manifest__digest", flat=True))
    gone: list[Digest] = []
    for digest in sorted(digest for digest in digests if digest not in tagged):
        try:
            if not reader.has_manifest(repository.name, digest):
                gone.append(digest)
        except RegistryError:
            break
    mark_gone(repository, gone, timezone.now())
