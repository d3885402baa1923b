"""Asking for syncs: by hand, by the clock, by the command; and the rows that jobs leave in the catalog."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from portal.audit.models import AuditEvent
from portal.jobs.run import run_job
from registries.catalog.diff import Move
from registries.catalog.holds import (
    active_holds,
    held_among,
    place_hold,
    place_legal_hold,
    release_hold,
    release_holds,
)
from registries.catalog.intents import declare_intent
from registries.catalog.models import Placement, RegistrySyncState, Repository, SyncJob, Tag, TagEvent
from registries.catalog.moves import write_moves
from registries.catalog.observe import record_artifact, record_tag, record_tag_gone, repository_row
from registries.catalog.queries import placements_of, platforms_of, search, tags_of
from registries.catalog.sync import request_due_syncs, request_sync
from registries.oci.auth import Anonymous
from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.topology.models import Registry, ZoneKind
from tests.fakes.content import put_image, put_two_platforms
from tests.real.registries import RegistryStarter
from tests.registries.rows import ALICE, make_registry

pytestmark = pytest.mark.django_db


@pytest.fixture
def registry(start_registry: RegistryStarter) -> Registry:
    return make_registry("ci", start_registry("ci").url)


@pytest.fixture
def client(registry: Registry) -> Iterator[Client]:
    client = Client(registry.base_url, Anonymous())
    yield client
    client.close()


def run(job: SyncJob) -> SyncJob:
    ended = run_job(SyncJob, job.pk)
    assert ended is not None
    return ended


def test_a_real_registry_is_synced_by_its_job(registry: Registry, client: Client) -> None:
    digest = put_two_platforms(client, "team/app")
    put_image(client, "team/tool", tag="latest", labels={"team": "tools"})

    job = run(request_sync(ALICE, registry))

    assert (job.state, job.reason_text, job.repositories_read) == ("done", "", 2)
    tag = Tag.objects.get(name="v1")
    assert tag.manifest.digest == digest
    assert platforms_of(tag.manifest) == ["linux/amd64", "linux/arm64"]
    assert RegistrySyncState.objects.get(registry=registry).listed_at
    assert job.progress_percent == 100
    again = run(request_sync(ALICE, registry))
    assert again.requests_sent == 4


def test_a_deleted_image_is_seen_to_be_gone(registry: Registry, client: Client) -> None:
    digest = put_two_platforms(client, "team/app")
    put_image(client, "team/app", tag="keep", layers=(b"keep",))
    run(request_sync(ALICE, registry))
    client.delete_manifest("team/app", digest)

    run(request_sync(ALICE, registry))
    assert Tag.objects.filter(name="v1").exists()
    run(request_sync(ALICE, registry))

    assert not Tag.objects.filter(name="v1").exists()
    assert Placement.objects.get(manifest__digest=digest).absent_since
    assert [event.kind for event in TagEvent.objects.filter(tag="v1").order_by("id")] == ["created", "removed"]


def test_an_open_sync_is_given_to_everybody_who_asks(registry: Registry) -> None:
    first = request_sync(ALICE, registry)

    assert request_sync(ALICE, registry).pk == first.pk
    assert request_sync(ALICE, registry, "team/app").pk != first.pk
    run(first)
    assert request_sync(ALICE, registry).pk != first.pk


def test_syncs_come_due_each_at_a_moment_of_its_own(settings: Settings) -> None:
    settings.PORTAL_SYNC_SECONDS = 300
    synced, manual = make_registry("synced"), make_registry("manual", is_sync_enabled=False)
    cache = make_registry("cache", kind=ZoneKind.CACHE, fronts=synced)
    now = timezone.now()

    assert request_due_syncs(now) == 1
    assert request_due_syncs(now) == 0
    assert SyncJob.objects.get().registry == synced
    due = RegistrySyncState.objects.get(registry=synced).next_sync_at
    assert due is not None
    assert timedelta(seconds=270) <= due - now <= timedelta(seconds=330)
    assert "cache" in RegistrySyncState.objects.get(registry=cache).failure_text
    assert not RegistrySyncState.objects.filter(registry=manual).exists()
    assert not AuditEvent.objects.filter(verb="sync.requested").exists()


def test_no_seconds_between_syncs_mean_none_by_the_clock(settings: Settings) -> None:
    settings.PORTAL_SYNC_SECONDS = 0
    make_registry("synced")

    assert request_due_syncs(timezone.now()) == 0


def test_a_cache_is_never_swept(registry: Registry) -> None:
    cache = make_registry("cache", registry.base_url, kind=ZoneKind.CACHE, fronts=registry)

    job = run(request_sync(ALICE, cache))

    assert (job.state, job.reason_code) == ("failed", "not_swept")
    assert "pull all of them through" in job.reason_text


def test_a_registry_that_is_down_is_tried_again_and_then_given_up(registry: Registry) -> None:
    down = make_registry("down", "http://127.0.0.1:1")
    job = run(request_sync(ALICE, down))
    assert (job.state, job.reason_code) == ("queued", "unreachable")
    assert job.next_run_at > timezone.now()

    SyncJob.objects.update(next_run_at=timezone.now(), attempt=2)
    job = run(job)
    assert (job.state, job.reason_code) == ("failed", "unreachable")
    assert "down at http://127.0.0.1:1: the catalog: it cannot be reached" in job.reason_text
    assert "Given up" in job.reason_text
    state = RegistrySyncState.objects.get(registry=down)
    assert state.failed_at
    assert "cannot be reached" in state.failure_text


def test_the_command_waits_and_says_what_it_found(
    registry: Registry, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    put_image(client, "team/app", tag="v1")

    call_command("sync_catalog", "ci", "--wait")
    assert "ci: 1 repositories read, 1 tags new, 0 moved, 0 gone" in capsys.readouterr().out

    make_registry("down", "http://127.0.0.1:1")
    with pytest.raises(CommandError, match="Not synced: down"):
        call_command("sync_catalog", "--wait")
    with pytest.raises(CommandError, match="There is no registry nowhere"):
        call_command("sync_catalog", "nowhere")


def test_the_command_only_orders_without_waiting(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("sync_catalog")

    assert "Ordered 1 syncs" in capsys.readouterr().out
    assert SyncJob.objects.get().state == "queued"


def test_what_a_job_did_is_in_the_catalog_at_once(registry: Registry, client: Client) -> None:
    digest = put_two_platforms(client, "team/app", "v1")
    now = timezone.now()
    manifest = record_artifact(client, registry, "team/app", digest, at=now)
    row = repository_row(registry, "team/app")
    declare_intent(registry, "team/app", "v1", None, digest, registry)

    event = record_tag(row, "v1", digest, at=now, source=TagEvent.Source.JOB, actor_name="alice")

    assert manifest.digest == digest
    assert event is not None
    assert (event.kind, event.source, event.actor_name) == ("created", "job", "alice")
    assert event.intent is not None
    event.intent.refresh_from_db()
    assert event.intent.fulfilled_at
    assert record_tag(row, "v1", digest, at=now, source=TagEvent.Source.JOB) is None
    assert Repository.objects.get().revision == 2
    gone = record_tag_gone(row, "v1", at=timezone.now(), source=TagEvent.Source.JOB)
    assert gone is not None
    assert record_tag_gone(row, "v1", at=timezone.now(), source=TagEvent.Source.JOB) is None


def test_a_sync_that_sees_our_own_move_first_knows_it_by_its_intent(registry: Registry, client: Client) -> None:
    run(request_sync(ALICE, registry))
    digest = put_two_platforms(client, "team/app", "v1")
    declare_intent(registry, "team/app", "v1", None, digest, registry)

    run(request_sync(ALICE, registry))

    event = TagEvent.objects.get()
    assert (event.source, event.actor_name) == ("job", "ci")


def test_a_reading_that_is_older_than_what_a_job_recorded_changes_nothing(registry: Registry, client: Client) -> None:
    old, new = (Digest(put_image(client, "app", layers=(name,))["digest"]) for name in (b"old", b"new"))
    for digest in (old, new):
        record_artifact(client, registry, "app", digest, at=timezone.now())
    row = repository_row(registry, "app")
    read_at = timezone.now()
    record_tag(row, "v1", new, at=timezone.now(), source=TagEvent.Source.JOB)

    stale = write_moves(row, [Move("v1", None, old)], at=timezone.now(), source=TagEvent.Source.SYNC, read_at=read_at)

    assert stale == []
    assert Tag.objects.get().manifest.digest == new


def test_holds_come_and_go_with_what_placed_them(registry: Registry) -> None:
    digest, other = Digest.of(b"a"), Digest.of(b"b")
    hold = place_hold(digest, "promotion", "request 17", registry)
    place_hold(other, "archive", "entry 3", registry, timezone.now() - timedelta(seconds=1))

    assert place_hold(digest, "promotion", "request 17, again", registry).pk == hold.pk
    assert held_among([digest, other], timezone.now()) == {digest: "an open promotion: request 17, again"}
    assert active_holds(timezone.now()).count() == 1
    assert release_holds(registry) == 2


def test_a_legal_hold_is_on_the_record(registry: Registry) -> None:
    hold = place_legal_hold(ALICE, registry, Digest.of(b"a"), "case 12")
    release_hold(ALICE, hold)

    verbs = AuditEvent.objects.filter(verb__startswith="hold.").order_by("id")
    assert [(event.verb, event.actor_name) for event in verbs] == [("hold.placed", "alice"), ("hold.released", "alice")]


def test_search_finds_names_tags_and_digests_in_what_may_be_seen(registry: Registry, client: Client) -> None:
    digest = put_two_platforms(client, "team/app", "v1")
    put_image(client, "secret/app", tag="v1")
    run(request_sync(ALICE, registry))
    visible = Repository.objects.filter(name="team/app")

    assert [row.name for row in search("app", visible).repositories] == ["team/app"]
    assert [tag.repository.name for tag in search("v", visible).tags] == ["team/app"]
    assert [row.digest for row in search(digest.encoded[:12], visible).manifests] == [digest]
    assert [row.digest for row in search(str(digest), visible).manifests] == [digest]
    assert not search("  ", visible).repositories
    assert not search("'; drop", visible).tags
    placement = placements_of(digest).get()
    assert [tag.name for tag in placement.repository.here_tags] == ["v1"]  # type: ignore[attr-defined]
    assert tags_of(placement.repository).get().name == "v1"
