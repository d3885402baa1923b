"""Sync against a registry that does as a test tells it."""

from collections.abc import Callable, Iterator

import pytest

from portal.jobs.run import JobFailed, RetryLater
from registries.catalog.models import (
    Manifest,
    Placement,
    RegistrySyncState,
    Repository,
    SyncJob,
    SyncState,
    Tag,
    TagEvent,
)
from registries.catalog.read import CatalogReader
from registries.catalog.run_sync import sweep_registry
from registries.catalog.sync import accept_disappearance
from registries.oci.auth import Anonymous
from registries.oci.backoff import Backoff
from registries.oci.client import Client
from registries.oci.transport import TransportOptions
from registries.topology.models import Registry
from tests.fakes import faults
from tests.fakes.content import put_image, put_index, put_two_platforms
from tests.fakes.scripted_registry import Fault, ScriptedRegistry
from tests.registries.rows import ALICE, claimed_sync, make_registry

pytestmark = pytest.mark.django_db

Sync = Callable[..., SyncJob]


@pytest.fixture
def server() -> Iterator[ScriptedRegistry]:
    with ScriptedRegistry().running() as running:
        yield running


@pytest.fixture
def client(server: ScriptedRegistry) -> Iterator[Client]:
    options = TransportOptions(read_timeout=5, backoff=Backoff(retries=1, sleep=lambda seconds: None))
    client = Client(server.url, Anonymous(), name="ci", options=options)
    yield client
    client.close()


@pytest.fixture
def registry(server: ScriptedRegistry) -> Registry:
    return make_registry("ci", server.url)


@pytest.fixture
def sync(registry: Registry, client: Client) -> Sync:
    def run(repository: str = "") -> SyncJob:
        claim = claimed_sync(registry, repository)
        try:
            with CatalogReader(client) as reader:
                sweep_registry(claim, reader, lambda client: client.catalog())
        finally:
            claim.write(state="done")
        return claim.job

    return run


def tags(registry: Registry) -> dict[str, str]:
    rows = Tag.objects.filter(repository__registry=registry).select_related("repository", "manifest")
    return {f"{tag.repository.name}:{tag.name}": tag.manifest.digest for tag in rows}


def events(registry: Registry) -> list[tuple[str, str, str]]:
    rows = TagEvent.objects.filter(repository__registry=registry).order_by("id")
    return [(event.tag, event.kind, event.source) for event in rows]


def test_the_first_sync_takes_everything_in_as_a_baseline(client: Client, registry: Registry, sync: Sync) -> None:
    digest = put_two_platforms(client, "team/app", "v1")
    put_image(client, "team/tool", tag="latest", labels={"org.opencontainers.image.version": "2"})

    job = sync()

    assert tags(registry)["team/app:v1"] == digest
    assert {event[2] for event in events(registry)} == {"baseline"}
    index = Manifest.objects.get(digest=digest)
    assert [(edge.platform, edge.is_attestation) for edge in index.edges.all()] == [
        ("linux/amd64", False),
        ("linux/arm64", False),
        ("unknown/unknown", True),
    ]
    assert Placement.objects.filter(repository__name="team/app").count() == 4
    tool = Tag.objects.get(repository__name="team/tool").manifest
    assert tool.platform == "linux/amd64"
    assert tool.labels == {"org.opencontainers.image.version": "2"}
    assert (job.repositories_read, job.tags_created) == (2, 2)
    row = Repository.objects.get(name="team/app")
    assert (row.tag_count, row.revision) == (1, 1)
    assert row.size_bytes == sum(
        len(blob) for (name, _), blob in _server_blobs(client, registry).items() if name == "team/app"
    ) + sum(p.manifest.size_bytes for p in row.placements.select_related("manifest"))


def _server_blobs(client: Client, registry: Registry) -> dict[tuple[str, str], bytes]:
    from registries.oci.digest import Digest

    rows = Placement.objects.filter(repository__registry=registry).select_related("repository", "manifest")
    return {
        (row.repository.name, link.blob.digest): client.get_blob(row.repository.name, Digest.parse(link.blob.digest))
        for row in rows
        for link in row.manifest.blob_links.select_related("blob")
    }


def test_a_second_sync_reads_no_content_again(client: Client, server: ScriptedRegistry, sync: Sync) -> None:
    put_two_platforms(client, "team/app", "v1")
    sync()
    server.seen.clear()

    job = sync()

    assert not server.requests("GET", "/manifests/|/blobs/")
    assert len(server.requests("HEAD", "/manifests/v1")) == 1
    assert job.requests_sent == 2
    assert Repository.objects.get().revision == 1


def test_moves_after_the_baseline_are_history(client: Client, registry: Registry, sync: Sync) -> None:
    put_image(client, "app", tag="latest")
    sync()
    put_image(client, "app", tag="latest", layers=(b"newer",))
    put_image(client, "app", tag="v2", layers=(b"newer",))

    job = sync()

    assert sorted(events(registry)[1:]) == [("latest", "moved", "sync"), ("v2", "created", "sync")]
    assert (job.tags_created, job.tags_moved) == (1, 1)
    assert Repository.objects.get().revision == 2


def test_a_removed_tag_goes_only_after_the_second_clean_read(
    client: Client, server: ScriptedRegistry, registry: Registry, sync: Sync
) -> None:
    put_image(client, "app", tag="v1")
    put_image(client, "app", tag="v2", layers=(b"other",))
    sync()
    gone = server.tags["app"].pop("v1")
    del server.manifests["app", gone]

    sync()
    assert "app:v1" in tags(registry)

    sync()
    assert set(tags(registry)) == {"app:v2"}
    assert events(registry)[-1] == ("v1", "removed", "sync")
    assert Placement.objects.get(manifest__digest=gone).absent_since is not None


def test_a_tag_that_comes_back_starts_counting_anew(
    client: Client, server: ScriptedRegistry, registry: Registry, sync: Sync
) -> None:
    put_image(client, "app", tag="v1")
    put_image(client, "app", tag="v2")
    sync()
    held = server.tags["app"].pop("v1")
    sync()
    server.tags["app"]["v1"] = held
    sync()
    del server.tags["app"]["v1"]
    sync()

    assert "app:v1" in tags(registry)
    assert len(events(registry)) == 2


@pytest.mark.parametrize(
    ("fault", "is_tried_again"),
    [
        (faults.status(500), True),
        (faults.web_page(), False),
        (faults.silence(), True),
        (faults.cut(10), True),
        (faults.other_body(b'{"tags": "none"}'), False),
        (faults.other_body(b"[]"), False),
        (faults.status(404), False),
        (faults.status(401), False),
        (faults.status(403, "DENIED"), False),
    ],
)
def test_a_failed_list_of_tags_deletes_nothing(
    client: Client, server: ScriptedRegistry, registry: Registry, sync: Sync, fault: Fault, is_tried_again: bool
) -> None:
    put_image(client, "app", tag="v1")
    put_image(client, "other", tag="v1")
    sync()
    before = tags(registry)
    for _ in range(3):
        # Twice: a fault that may pass is tried again.
        server.on("GET", "/app/tags/list", fault, times=2 if is_tried_again else 1)
        sync()

    assert tags(registry) == before
    assert not Tag.objects.filter(missing_reads__gt=0).exists()
    state = SyncState.objects.get(repository__name="app")
    assert state.failure_text
    assert state.failed_at


@pytest.mark.parametrize(
    "fault", [faults.status(500), faults.web_page(), faults.cut(5), faults.other_body(b"nonsense")]
)
def test_a_failed_catalog_deletes_nothing_and_says_why(
    client: Client, server: ScriptedRegistry, registry: Registry, sync: Sync, fault: Fault
) -> None:
    put_image(client, "app", tag="v1")
    sync()
    before = tags(registry)
    for _ in range(2):
        server.on("GET", "_catalog", fault, times=2)
        with pytest.raises((RetryLater, JobFailed)):
            sync()

    assert tags(registry) == before
    state = RegistrySyncState.objects.get(registry=registry)
    assert state.failed_at
    assert state.failure_text


def test_a_catalog_that_ends_early_is_no_list(
    client: Client, server: ScriptedRegistry, registry: Registry, sync: Sync
) -> None:
    for name in ("a", "b", "c"):
        put_image(client, name, tag="v1")
    sync()
    server.page_size = 1
    server.on("GET", "_catalog.*last=a", faults.status(500), times=2)

    with pytest.raises(RetryLater):
        sync()

    assert Tag.objects.filter(missing_reads__gt=0).count() == 0


def test_one_broken_repository_does_not_stop_the_others(
    client: Client, server: ScriptedRegistry, registry: Registry, sync: Sync
) -> None:
    for name in ("a", "b", "c"):
        put_image(client, name, tag="v1")
    server.on("GET", "/b/tags/list", faults.status(500), times=2)

    job = sync()

    assert set(tags(registry)) == {"a:v1", "c:v1"}
    assert job.reason_code == "partly_read"
    assert "b:" in job.reason_text

    sync()
    assert set(tags(registry)) == {"a:v1", "b:v1", "c:v1"}
    assert {event[2] for event in events(registry)} == {"baseline"}


def test_a_registry_that_goes_down_in_the_middle_is_left_after_a_few_tries(
    client: Client, server: ScriptedRegistry, registry: Registry, sync: Sync
) -> None:
    for number in range(10):
        put_image(client, f"app{number}", tag="v1")
    server.on("GET", "tags/list", faults.silence(), times=1000)

    with pytest.raises(RetryLater) as retry:
        sync()

    assert "cut" in retry.value.text
    assert len(server.requests("GET", "tags/list")) == 6
    assert RegistrySyncState.objects.get().failed_at


def test_a_registry_that_asks_for_a_pause_gets_it(
    client: Client, server: ScriptedRegistry, registry: Registry, sync: Sync
) -> None:
    put_image(client, "app", tag="v1")
    server.on("GET", "tags/list", faults.status(429, "TOOMANYREQUESTS", Retry_After="120"), times=9)

    with pytest.raises(RetryLater) as retry:
        sync()

    assert retry.value.is_free
    assert retry.value.after.total_seconds() == 120


def test_lost_storage_does_not_empty_the_catalog(
    client: Client, server: ScriptedRegistry, registry: Registry, sync: Sync
) -> None:
    put_image(client, "app")
    digest = put_index(client, "app", [])
    server.tags["app"] = {f"v{number}": str(digest) for number in range(30)}
    sync()
    server.tags["app"] = {}

    sync()
    sync()
    job = sync()

    assert len(tags(registry)) == 30
    state = RegistrySyncState.objects.get(registry=registry)
    assert state.braked_at
    assert "30 of 30" in state.brake_text
    assert job.reason_code == "braked"

    assert accept_disappearance(ALICE, registry) == 30
    assert not tags(registry)
    state.refresh_from_db()
    assert state.braked_at is None


def test_storage_that_comes_back_releases_the_brake(
    client: Client, server: ScriptedRegistry, registry: Registry, sync: Sync
) -> None:
    digest = put_index(client, "app", [])
    held = {f"v{number}": str(digest) for number in range(30)}
    server.tags["app"] = dict(held)
    sync()
    server.tags["app"] = {}
    sync()
    sync()
    server.tags["app"] = dict(held)

    sync()

    assert RegistrySyncState.objects.get(registry=registry).braked_at is None
    assert len(tags(registry)) == 30
    assert len(events(registry)) == 30


def test_a_repository_that_is_gone_is_shown_as_absent(
    client: Client, server: ScriptedRegistry, registry: Registry, sync: Sync
) -> None:
    put_image(client, "app", tag="v1")
    put_image(client, "other", tag="v1")
    sync()
    del server.tags["app"]
    for held in [key for key in server.manifests if key[0] == "app"]:
        del server.manifests[held]

    sync()
    assert Repository.objects.get(name="app").absent_since is None
    sync()

    assert Repository.objects.get(name="app").absent_since is not None
    here = Placement.objects.filter(repository__name="app", absent_since=None)
    assert not here.exists()

    put_image(client, "app", tag="v1")
    sync()
    assert Repository.objects.get(name="app").absent_since is None
    assert here.all().exists()


def test_content_that_cannot_be_taken_in_is_named_and_the_rest_goes_on(
    client: Client, server: ScriptedRegistry, registry: Registry, sync: Sync
) -> None:
    put_image(client, "app", tag="good")
    digest = put_index(client, "app", [], tag="bad")
    server.manifests["app", str(digest)] = (b"not what it says", "application/vnd.oci.image.index.v1+json")

    job = sync()

    assert set(tags(registry)) == {"app:good"}
    state = SyncState.objects.get()
    assert state.failure_code == "unreadable_content"
    assert "bad" in state.failure_text
    assert job.repositories_failed == 0


def test_labels_that_a_database_cannot_keep_are_cleaned(client: Client, registry: Registry, sync: Sync) -> None:
    put_image(client, "app", tag="v1", labels={"a": "x\x00y", "b": "\ud800", "c": "z" * 20_000})

    sync()

    labels = Manifest.objects.get().labels
    assert labels["a"] == "xy"
    assert labels["b"] == "?"
    assert len(labels["c"]) == 10_000


def test_a_single_repository_can_be_synced(
    client: Client, server: ScriptedRegistry, registry: Registry, sync: Sync
) -> None:
    put_image(client, "app", tag="v1")
    put_image(client, "other", tag="v1")

    sync("app")

    assert set(tags(registry)) == {"app:v1"}
    assert not server.requests("GET", "_catalog")
    assert not RegistrySyncState.objects.get(registry=registry).listed_at
