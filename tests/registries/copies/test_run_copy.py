"""Copy jobs from one registry to another, with everything that goes wrong on the way."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.http.problem import Problem
from portal.jobs.models import HostPause
from portal.jobs.run import request_cancel, retry_now, run_job
from registries.catalog.models import Manifest, Placement, Repository, Tag, TagEvent, TagIntent
from registries.copies.models import CopyJob
from registries.copies.order import order_copy
from registries.oci.auth import Anonymous
from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.oci.fallback import add_to_fallback
from registries.oci.referrers import as_referrer
from registries.topology.models import Registry, ZoneKind
from tests.fakes import faults
from tests.fakes.content import put_image, put_signature, put_two_platforms
from tests.fakes.scripted_registry import ScriptedRegistry
from tests.registries.child import give_up_for_dead, worker
from tests.registries.rows import ALICE, make_registry

pytestmark = pytest.mark.django_db

Order = Callable[..., CopyJob]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


@pytest.fixture
def snapshots(stack: ExitStack) -> ScriptedRegistry:
    return stack.enter_context(ScriptedRegistry().running())


@pytest.fixture
def prod(stack: ExitStack) -> ScriptedRegistry:
    return stack.enter_context(ScriptedRegistry(can_delete_tags=False).running())


@pytest.fixture
def ci(snapshots: ScriptedRegistry, stack: ExitStack) -> Client:
    client = Client(snapshots.url, Anonymous())
    stack.callback(client.close)
    return client


@pytest.fixture
def source(snapshots: ScriptedRegistry) -> Registry:
    return make_registry("snapshots", snapshots.url)


@pytest.fixture
def target(prod: ScriptedRegistry) -> Registry:
    return make_registry("prod", prod.url, kind=ZoneKind.PROD)


@pytest.fixture
def order(source: Registry, target: Registry) -> Order:
    def ordered(digest: Digest, **fields: object) -> CopyJob:
        values: dict[str, object] = {
            "purpose": "promotion",
            "principal": "pipeline",
            "source": source,
            "source_repository": "team/app",
            "digest": digest,
            "target": target,
            "target_repository": "shop/app",
            "tags": ["1.0.0", "stable"],
            "expected_digests": {"1.0.0": "", "stable": None},
            "cause": target.zone,
            **fields,
        }
        return order_copy(ALICE, **values)  # type: ignore[arg-type]

    return ordered


def run(job: CopyJob) -> CopyJob:
    """One attempt, whenever the job says it is due."""
    CopyJob.objects.filter(pk=job.pk).update(next_run_at=timezone.now())
    ended = run_job(CopyJob, job.pk)
    assert ended is not None
    return ended


def test_an_artifact_arrives_whole_and_the_catalog_knows_at_once(
    ci: Client, prod: ScriptedRegistry, order: Order, target: Registry
) -> None:
    digest = put_two_platforms(ci, "team/app")
    signature = put_signature(ci, "team/app", digest, 1)

    job = run(order(digest))

    assert (job.state, job.reason_text) == ("done", "")
    assert prod.tags["shop/app"]["1.0.0"] == prod.tags["shop/app"]["stable"] == digest
    assert ("shop/app", str(signature)) in prod.manifests
    assert job.verified_at
    assert job.tagged_at
    assert job.verified_digests >= 5 + 7
    assert job.bytes_copied > 2000
    tags = Tag.objects.filter(repository__registry=target, repository__name="shop/app")
    assert {tag.name: tag.manifest.digest for tag in tags} == {"1.0.0": digest, "stable": digest}
    assert Placement.objects.filter(repository__registry=target, absent_since=None).count() == 4
    assert {(event.tag, event.source, event.actor_name) for event in TagEvent.objects.all()} == {
        ("1.0.0", "job", "alice"),
        ("stable", "job", "alice"),
    }
    assert TagIntent.objects.filter(fulfilled_at=None).count() == 0
    assert "read back" in " ".join(job.steps.values_list("text", flat=True))
    assert AuditEvent.objects.filter(verb="copy.ordered").count() == 1


def test_running_again_sends_nothing_and_records_nothing_new(ci: Client, prod: ScriptedRegistry, order: Order) -> None:
    digest = put_two_platforms(ci, "team/app")
    run(order(digest))
    events, revision = TagEvent.objects.count(), Repository.objects.get().revision
    prod.seen.clear()

    again = run(order(digest, expected_digests={"1.0.0": str(digest), "stable": str(digest)}))

    assert again.state == "done"
    assert not prod.requests("PUT")
    assert not prod.requests("POST")
    assert (TagEvent.objects.count(), Repository.objects.get().revision) == (events, revision)


def test_signatures_found_by_tags_are_in_the_catalog_too(
    ci: Client, snapshots: ScriptedRegistry, prod: ScriptedRegistry, order: Order, target: Registry
) -> None:
    snapshots.has_referrers_api = prod.has_referrers_api = False
    digest = put_two_platforms(ci, "team/app")
    put_image(ci, "team/app", tag=f"{digest.fallback_tag}.sig", layers=(b"cosign",))
    signature = put_signature(ci, "team/app", digest, 1)
    add_to_fallback(ci, "team/app", digest, [as_referrer(ci.get_manifest("team/app", signature))])

    job = run(order(digest))

    assert job.state == "done", job.reason_text
    tags = Tag.objects.filter(repository__registry=target)
    names = {digest.fallback_tag, f"{digest.fallback_tag}.sig", "1.0.0", "stable"}
    assert set(tags.values_list("name", flat=True)) == set(prod.tags["shop/app"]) == names
    assert Placement.objects.filter(repository__registry=target, manifest__digest=signature).exists()
    assert not TagEvent.objects.exclude(source="job").exists()


def test_a_tag_that_somebody_moved_is_left_alone_and_no_other_is_set(
    ci: Client, prod: ScriptedRegistry, order: Order, stack: ExitStack
) -> None:
    digest = put_two_platforms(ci, "team/app")
    other = Client(prod.url, Anonymous())
    stack.callback(other.close)
    foreign = Digest(put_image(other, "shop/app", tag="stable")["digest"])

    job = run(order(digest))

    assert (job.state, job.reason_code) == ("failed", "target_tag_conflict")
    assert str(foreign) in job.reason_text
    assert prod.tags["shop/app"] == {"stable": foreign}
    assert not TagIntent.objects.exists()


def test_a_source_that_breaks_off_is_tried_again_and_finished(
    ci: Client, snapshots: ScriptedRegistry, prod: ScriptedRegistry, order: Order
) -> None:
    digest = Digest(put_image(ci, "team/app", layers=(b"x" * 100_000,))["digest"])
    snapshots.serves_ranges = False
    snapshots.on("GET", "/blobs/", faults.cut(10), times=50)
    job = run(order(digest))

    assert (job.state, job.reason_code) == ("queued", "dropped")
    assert "shop/app" not in prod.tags or not prod.tags["shop/app"]
    snapshots._rules.clear()
    job = run(job)
    assert job.state == "done"
    assert prod.tags["shop/app"]["1.0.0"] == digest


def test_content_with_another_digest_never_gets_a_tag(
    ci: Client, snapshots: ScriptedRegistry, prod: ScriptedRegistry, order: Order
) -> None:
    digest = Digest(put_image(ci, "team/app", layers=(b"as built",))["digest"])
    layer = str(Digest.of(b"as built"))
    snapshots.blobs["team/app", layer] = b"tampered"

    job = run(order(digest))

    assert job.state in ("failed", "queued")
    assert not prod.tags.get("shop/app")
    assert job.reason_text


def test_a_source_that_is_gone_says_so(ci: Client, prod: ScriptedRegistry, order: Order) -> None:
    put_image(ci, "team/app", tag="other")

    job = run(order(Digest.of(b"never pushed")))

    assert (job.state, job.reason_code) == ("failed", "source_gone")
    assert "does not hold all of" in job.reason_text


def test_a_target_that_is_down_is_tried_again_later(ci: Client, order: Order, target: Registry) -> None:
    digest = put_two_platforms(ci, "team/app")
    Registry.objects.filter(pk=target.pk).update(base_url="http://127.0.0.1:1")

    job = run(order(digest))

    assert (job.state, job.reason_code) == ("queued", "unreachable")
    assert "prod at http://127.0.0.1:1" in job.reason_text
    assert job.next_run_at > timezone.now()


def test_a_host_that_asks_for_a_pause_gets_it_from_everybody(
    ci: Client, prod: ScriptedRegistry, order: Order, target: Registry
) -> None:
    digest = put_two_platforms(ci, "team/app")
    prod.on("HEAD", "/blobs/", faults.status(429, Retry_After="600"), times=100)

    job = run(order(digest))
    assert (job.state, job.reason_code, job.attempt) == ("queued", "rate_limited", 0)
    assert HostPause.objects.get().host == target.host

    prod.seen.clear()
    assert run(job).reason_code == "paused"
    assert not prod.seen


def test_a_cancelled_copy_is_ordered_anew_and_never_just_tried_again(
    ci: Client, prod: ScriptedRegistry, order: Order
) -> None:
    digest = put_two_platforms(ci, "team/app")
    job = order(digest)

    assert request_cancel(job)
    job.refresh_from_db()
    assert job.state == "cancelled"

    assert not retry_now(job)
    assert run_job(CopyJob, job.pk) is None
    assert "shop/app" not in prod.tags
    assert run(order(digest)).state == "done"
    assert prod.tags["shop/app"]["1.0.0"] == digest


def test_nothing_leaves_a_sandbox(ci: Client, order: Order, source: Registry) -> None:
    source.zone.kind = ZoneKind.SANDBOX
    source.zone.save()

    with pytest.raises(Problem) as refusal:
        order(Digest.of(b""))

    assert refusal.value.code == "leaves_sandbox"
    assert not CopyJob.objects.exists()


def test_nothing_is_copied_into_a_cache_nor_by_the_wrong_principal(order: Order, target: Registry) -> None:
    with pytest.raises(Problem) as refusal:
        order(Digest.of(b""), principal="replicator")
    assert refusal.value.code == "wrong_principal"
    with pytest.raises(Problem) as refusal:
        order(Digest.of(b""), tags=["not a tag"])
    assert refusal.value.code == "bad_tag"
    target.zone.kind = ZoneKind.CACHE
    with pytest.raises(Problem) as refusal:
        order(Digest.of(b""))
    assert refusal.value.code == "not_a_target"


def test_a_pipeline_never_reads_a_sandbox_even_when_told_to(ci: Client, order: Order, source: Registry) -> None:
    digest = put_two_platforms(ci, "team/app")
    job = order(digest)
    source.zone.kind = ZoneKind.SANDBOX
    source.zone.save()

    job = run(job)

    assert (job.state, job.reason_code) == ("failed", "denied")
    assert "nothing leaves" in job.reason_text


def test_the_same_order_is_given_once(ci: Client, order: Order) -> None:
    digest = put_two_platforms(ci, "team/app")

    first, second = order(digest), order(digest)
    assert first.pk == second.pk

    run(first)
    assert order(digest).pk != first.pk


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_in_the_middle_leaves_no_tag_and_the_next_one_finishes(
    ci: Client, snapshots: ScriptedRegistry, prod: ScriptedRegistry, order: Order
) -> None:
    digest = Digest(put_image(ci, "team/app", layers=(b"first", b"x" * 1_000_000))["digest"])
    stall = faults.Stall()
    prod.on("PUT", "/blobs/uploads/", stall, times=100)
    job = order(digest)
    with worker(job):
        assert stall.reached.wait(30)
    stall.go_on.set()
    prod._rules.clear()

    job.refresh_from_db()
    assert job.state == "running"
    assert not prod.tags.get("shop/app")
    assert run_job(CopyJob, job.pk) is None
    give_up_for_dead(job)
    job = run(job)
    assert (job.state, job.attempt) == ("done", 2)
    assert prod.tags["shop/app"] == {"1.0.0": digest, "stable": digest}
    assert Manifest.objects.filter(digest=digest).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_copy_that_is_cancelled_in_the_middle_sets_no_tag(ci: Client, prod: ScriptedRegistry, order: Order) -> None:
    digest = Digest(put_image(ci, "team/app", layers=(b"first", b"x" * 1_000_000))["digest"])
    stall = faults.Stall()
    prod.on("PUT", "/blobs/uploads/", stall, times=100)
    job = order(digest)
    with worker(job) as process:
        assert stall.reached.wait(30)
        assert request_cancel(job)
        stall.go_on.set()
        process.wait(timeout=30)

    job.refresh_from_db()
    assert (job.state, job.reason_code) == ("cancelled", "cancelled")
    assert not prod.tags.get("shop/app")


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_between_two_tags_is_explained_by_its_intents(
    ci: Client, prod: ScriptedRegistry, order: Order
) -> None:
    digest = Digest(put_image(ci, "team/app")["digest"])
    stall = faults.Stall()
    prod.on("PUT", "/manifests/stable", stall)
    job = order(digest)
    with worker(job):
        assert stall.reached.wait(30)
        assert prod.tags["shop/app"]["1.0.0"] == digest
    stall.go_on.set()

    assert TagIntent.objects.filter(fulfilled_at=None).count() == 2
    give_up_for_dead(job)
    assert run(job).state == "done"
    assert TagIntent.objects.filter(fulfilled_at=None).count() == 0
    assert set(TagEvent.objects.values_list("tag", "source")) == {("1.0.0", "job"), ("stable", "job")}
