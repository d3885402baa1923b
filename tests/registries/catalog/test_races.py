"""Two at once, on a database that really locks rows."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from portal.actor import system
from portal.http.problem import Problem
from registries.catalog.diff import Move
from registries.catalog.holds import HeldError, claim_deletion, place_hold
from registries.catalog.models import DigestGuard, Hold, Manifest, Repository, SyncJob, Tag, TagEvent
from registries.catalog.moves import write_moves
from registries.catalog.observe import repository_row
from registries.catalog.read import FoundManifest
from registries.catalog.store import store_manifests
from registries.catalog.sync import request_sync
from registries.oci import mediatypes
from registries.oci.digest import Digest
from registries.oci.manifest import parse_manifest
from tests.fakes.content import encode, image_manifest
from tests.registries.rows import ALICE, claimed_sync, make_registry

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run all at the same moment, each on a connection of its own; results, or what was raised."""
    start = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        try:
            start.wait(10)
            return work()
        except (Problem, HeldError) as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_a_hold_and_a_deletion_never_both_win() -> None:
    registry = make_registry()
    job = claimed_sync(registry).job
    for attempt in range(25):
        digest = Digest.of(str(attempt).encode())

        held, claimed = at_once(
            partial(place_hold, digest, "promotion", "17", registry), partial(claim_deletion, digest, job)
        )

        has_hold = Hold.objects.filter(digest=digest).exists()
        is_claimed = DigestGuard.objects.get(digest=digest).deletion_claimed_at is not None
        assert has_hold != is_claimed
        assert isinstance(held, Hold) == has_hold
        assert isinstance(claimed, HeldError) == has_hold


def test_one_of_two_cleanups_gets_a_digest() -> None:
    first, second = (claimed_sync(make_registry(name)).job for name in ("one", "two"))
    for attempt in range(10):
        digest = Digest.of(str(attempt).encode())

        results = at_once(partial(claim_deletion, digest, first), partial(claim_deletion, digest, second))

        assert sorted(isinstance(result, HeldError) for result in results) == [False, True]


def test_two_who_ask_for_a_sync_get_the_same_one() -> None:
    registry = make_registry()

    jobs = at_once(*[lambda: request_sync(system("sync"), registry) for _ in range(6)])

    assert len({job.pk for job in jobs if isinstance(job, SyncJob)}) == 1
    assert SyncJob.objects.count() == 1


def images(count: int, series: int = 0) -> list[FoundManifest]:
    """Images that share a config and most of their layers."""
    config = encode({"os": "linux", "architecture": "amd64"})
    raws = [image_manifest(config, [b"shared", b"also", f"{series}.{number}".encode()]) for number in range(count)]
    return [FoundManifest(parse_manifest(raw, mediatypes.OCI_IMAGE)) for raw in raws]


def test_the_same_content_is_stored_by_two_without_a_deadlock() -> None:
    for attempt in range(5):
        found = images(40, attempt)

        results = at_once(partial(store_manifests, found), partial(store_manifests, list(reversed(found))))

        assert results == [None, None]
    assert Manifest.objects.count() == 200
    assert all(manifest.blob_links.count() == 4 for manifest in Manifest.objects.all())


def test_two_who_move_tags_of_one_repository_take_turns() -> None:
    found = images(2)
    store_manifests(found)
    row = repository_row(make_registry(), "app")
    digests = [item.manifest.digest for item in found]

    def move(digest: Digest) -> object:
        moves = [Move(f"v{number}", None, digest) for number in range(20)]
        return write_moves(row, moves, at=timezone.now(), source=TagEvent.Source.SYNC, actor_name=ALICE.name)

    at_once(*[partial(move, digest) for digest in digests])

    assert Tag.objects.filter(repository=row).count() == 20
    assert TagEvent.objects.count() == 40
    assert Repository.objects.get().revision == 2
    assert len({tag.manifest_id for tag in Tag.objects.all()}) == 1
