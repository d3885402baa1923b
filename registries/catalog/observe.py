"""Record what one of our own jobs has just done or seen, so that pages are true without waiting for a sync."""

from datetime import datetime

from registries.catalog.diff import Move
from registries.catalog.models import Manifest, Repository, TagEvent, TagIntent
from registries.catalog.moves import locked, mark_gone, remove_tags, write_moves
from registries.catalog.read import CatalogReader
from registries.catalog.store import (
    known_digests,
    manifests_by_digest,
    place_manifests,
    store_manifests,
    update_figures,
)
from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.oci.errors import RegistryError
from registries.topology.models import Registry

__all__ = ["mark_gone", "record_artifact", "record_placements", "record_tag", "record_tag_gone", "repository_row"]


def repository_row(registry: Registry, name: str) -> Repository:
    """The repository's row, made when it is new; one that was gone is back."""
    row, _ = Repository.objects.get_or_create(registry=registry, name=name)
    if row.absent_since is not None:
        Repository.objects.filter(pk=row.pk).update(absent_since=None)
        row.absent_since = None
    return row


def record_artifact(
    client: Client, registry: Registry, repository_name: str, digest: Digest, *, at: datetime
) -> Manifest:
    """Read what is not known yet of a manifest and all below it, and say that it is there. No tag is touched.

    Reads over the network first, so call it outside any transaction. Raises RegistryError."""
    with CatalogReader(client) as reader:
        tree = reader.trees(repository_name, [digest], known_digests)
    if digest in tree.unread:
        raise RegistryError(tree.unread[digest].text)
    store_manifests(tree.found)
    record_placements(repository_row(registry, repository_name), [digest], at=at)
    return manifests_by_digest([digest])[digest]


def record_placements(repository: Repository, digests: list[Digest], *, at: datetime) -> None:
    """Say that manifests we know, and all below them, are in a repository."""
    with locked(repository) as row:
        if place_manifests(row, digests, at):
            update_figures(row, at)


def record_tag(
    repository: Repository,
    tag: str,
    digest: Digest,
    *,
    at: datetime,
    source: TagEvent.Source,
    actor_name: str = "",
    intent: TagIntent | None = None,
) -> TagEvent | None:
    """Say that a tag points to a manifest that is recorded; None when that was known.

    The intent is found by itself; passing it only says that the caller has one."""
    name = actor_name or (intent.cause_name if intent else "")
    events = write_moves(repository, [Move(tag, None, digest)], at=at, source=source, actor_name=name)
    return events[0] if events else None


def record_tag_gone(
    repository: Repository, tag: str, *, at: datetime, source: TagEvent.Source, actor_name: str = ""
) -> TagEvent | None:
    """Say that a tag is there no longer; None when that was known."""
    events = remove_tags(repository, [tag], at=at, source=source, actor_name=actor_name)
    return events[0] if events else None
