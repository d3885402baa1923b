"""Cleanup when the registry, the worker or somebody else gets in its way."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from portal.http.problem import Problem
from portal.jobs.run import request_cancel, retry_now, run_job
from portal.users.models import User
from registries.catalog.holds import HeldError, claim_deletion, place_hold, release_deletions
from registries.catalog.models import DigestGuard, TagEvent, TagIntent
from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.retention.automatic import execute_ready_plans, request_due_plans, settle_left_plans
from registries.retention.models import CleanupJob, Plan
from registries.retention.operations import execute_plan, request_plan, stop_plan
from registries.topology.models import Registry
from tests.fakes import faults
from tests.fakes.content import put_image, put_two_platforms
from tests.fakes.scripted_registry import ScriptedRegistry
from tests.registries.child import give_up_for_dead, worker
from tests.registries.retention.stories import (
    age,
    executed,
    outcomes,
    planned,
    run_open_job,
    sync,
    tags_at,
    week,
)
from tests.registries.rows import ALICE

pytestmark = pytest.mark.django_db

ClientOf = Callable[[Registry], Client]
NAMES = ("a", "b", "c")


@pytest.fixture
def client(faulty_sandbox: Registry, client_of: ClientOf) -> Client:
    return client_of(faulty_sandbox)


@pytest.fixture
def plan(faulty_sandbox: Registry, client: Client) -> Plan:
    """Three old tags on three digests, and one that stays."""
    for name in NAMES:
        put_image(client, "app", tag=name, layers=(name.encode(),))
    put_image(client, "app", tag="keep", layers=(b"keep",))
    sync(faulty_sandbox)
    age(faulty_sandbox, *NAMES)
    week(faulty_sandbox)
    return planned(faulty_sandbox)


def again(plan: Plan) -> CleanupJob:
    plan.refresh_from_db()
    job = run_open_job(plan)
    plan.refresh_from_db()
    return job


def test_a_registry_that_goes_down_half_way_is_finished_later(
    faulty: ScriptedRegistry, client: Client, plan: Plan, admin: User
) -> None:
    faulty.on("DELETE", "/manifests/", lambda answer: answer, times=3)
    faulty.on("DELETE", "/manifests/", faults.silence(), times=100, reads_body=False)
    execute_plan(admin.actor, admin, plan)

    job = again(plan)
    assert (job.state, plan.state) == ("queued", "executing")
    assert "cut" in job.reason_text
    assert not DigestGuard.objects.filter(deletion_claimed_at__isnull=False).exists()

    faulty._rules.clear()
    job = again(plan)
    assert (job.state, plan.state) == ("done", "done")
    assert set(tags_at(client, "app")) == {"app:keep"}
    assert {outcome for tag, outcome in outcomes(plan).items() if tag != "app:keep"} == {"deleted"}


def test_a_registry_that_deletes_nothing_says_so_on_each_tag(
    faulty: ScriptedRegistry, client: Client, plan: Plan, admin: User
) -> None:
    faulty.on("DELETE", "/manifests/", faults.status(405, "UNSUPPORTED"), times=100, reads_body=False)

    executed(plan, admin)

    assert outcomes(plan)["app:a"] == "failed"
    assert plan.items.get(tag="a").outcome_text
    assert set(tags_at(client, "app")) == {"app:a", "app:b", "app:c", "app:keep"}
    assert plan.state == "done"


def test_a_repository_that_cannot_be_read_is_left_alone(
    faulty: ScriptedRegistry, client: Client, plan: Plan, admin: User
) -> None:
    faulty.on("GET", "/app/tags/list", faults.web_page(), times=100)

    executed(plan, admin)
    faulty._rules.clear()

    assert outcomes(plan)["app:a"] == "failed"
    assert "a web page answered" in plan.items.get(tag="a").outcome_text
    assert len(tags_at(client, "app")) == 4


def test_a_delete_that_is_refused_leaves_the_other_tags_to_go(
    faulty: ScriptedRegistry, client: Client, plan: Plan, admin: User
) -> None:
    held = client.head_manifest("app", "b")
    assert held is not None
    faulty.on("DELETE", held.digest, faults.status(403, "DENIED"), times=100, reads_body=False)

    executed(plan, admin)

    assert outcomes(plan) == {"app:a": "deleted", "app:b": "failed", "app:c": "deleted", "app:keep": "kept"}
    assert set(tags_at(client, "app")) == {"app:b", "app:keep"}
    assert not TagIntent.objects.filter(tag="b", fulfilled_at=None).exists()


def test_a_hold_is_refused_while_the_digest_is_being_deleted(client: Client, plan: Plan, admin: User) -> None:
    held = client.head_manifest("app", "a")
    assert held is not None
    job = execute_plan(admin.actor, admin, plan)
    claim_deletion(held.digest, job)

    with pytest.raises(Problem) as refusal:
        place_hold(held.digest, "promotion", "17", plan)
    assert refusal.value.code == "being_deleted"

    release_deletions(job)
    place_hold(held.digest, "promotion", "17", plan)
    again(plan)
    assert outcomes(plan)["app:a"] == "kept"
    assert "app:a" in tags_at(client, "app")


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_in_the_middle_is_followed_by_one_that_finishes(
    faulty: ScriptedRegistry, client: Client, plan: Plan, admin: User
) -> None:
    stall = faults.Stall()
    second = client.head_manifest("app", "b")
    assert second is not None
    faulty.on("DELETE", second.digest, stall)
    job = execute_plan(admin.actor, admin, plan)
    with worker(job):
        assert stall.reached.wait(30)
        with pytest.raises(Problem) as refusal:
            place_hold(second.digest, "promotion", "17", plan)
        assert refusal.value.code == "being_deleted"
    stall.go_on.set()

    waiting = plan.items.filter(outcome="waiting").count()
    assert waiting >= 1
    assert DigestGuard.objects.filter(deletion_claimed_at__isnull=False).count() == 1
    give_up_for_dead(job)
    ended = run_job(CleanupJob, job.pk)
    assert ended is not None
    plan.refresh_from_db()

    assert (ended.state, ended.attempt, plan.state) == ("done", 2, "done")
    assert outcomes(plan) == {"app:a": "deleted", "app:b": "deleted", "app:c": "deleted", "app:keep": "kept"}
    assert set(tags_at(client, "app")) == {"app:keep"}
    removed = TagEvent.objects.filter(kind="removed")
    assert sorted(removed.values_list("tag", "source")) == [(name, "job") for name in NAMES]
    assert not DigestGuard.objects.filter(deletion_claimed_at__isnull=False).exists()


@pytest.mark.django_db(transaction=True)
def test_stop_stops_before_the_next_tag(faulty: ScriptedRegistry, client: Client, plan: Plan, admin: User) -> None:
    stall = faults.Stall()
    faulty.on("DELETE", "/manifests/sha256", stall)
    job = execute_plan(admin.actor, admin, plan)
    with worker(job) as process:
        assert stall.reached.wait(30)
        assert stop_plan(admin.actor, plan)
        stall.go_on.set()
        process.wait(timeout=30)

    job.refresh_from_db()
    plan.refresh_from_db()
    assert (job.state, plan.state) == ("cancelled", "stopped")
    assert sorted(outcomes(plan).values()) == ["deleted", "kept", "waiting", "waiting"]
    assert len(tags_at(client, "app")) == 3

    assert retry_now(job)
    Plan.objects.filter(pk=plan.pk).update(created_at=timezone.now() - timedelta(days=2))
    assert again(plan).reason_code == "too_old"
    Plan.objects.filter(pk=plan.pk).update(created_at=timezone.now())
    assert retry_now(job)
    assert again(plan).state == "done"
    assert (plan.state, set(tags_at(client, "app"))) == ("done", {"app:keep"})


def test_a_child_whose_index_could_not_go_stays(
    faulty: ScriptedRegistry, faulty_sandbox: Registry, client: Client, admin: User
) -> None:
    index = put_two_platforms(client, "app", "index")
    child = client.get_manifest("app", index).children[0].digest
    manifest = client.get_manifest("app", child)
    client.put_manifest("app", "child", manifest.raw, manifest.media_type)
    sync(faulty_sandbox)
    age(faulty_sandbox, "index", "child")
    week(faulty_sandbox)
    plan = planned(faulty_sandbox)
    assert plan.delete_count == 2
    faulty.on("DELETE", index, faults.status(403, "DENIED"), times=100, reads_body=False)

    executed(plan, admin)

    assert outcomes(plan) == {"app:index": "failed", "app:child": "deleted"}
    assert set(tags_at(client, "app")) == {"app:index"}
    assert client.head_manifest("app", child) is not None


def test_automatic_policies_plan_and_execute_by_themselves(
    faulty_sandbox: Registry, client: Client, plan: Plan
) -> None:
    Plan.objects.all().delete()
    week(faulty_sandbox, name="by hand", tag_glob="b", older_than_seconds=0)
    faulty_sandbox.zone.retention_policies.filter(name="week").update(tag_glob="a", is_automatic=True)

    assert request_due_plans(timezone.now()) == 1
    assert request_due_plans(timezone.now()) == 0
    made = Plan.objects.get()
    run_open_job(made)
    assert execute_ready_plans() == 1
    run_open_job(made)

    assert set(tags_at(client, "app")) == {"app:b", "app:c", "app:keep"}


def test_a_plan_whose_job_gave_up_says_so(plan: Plan, admin: User) -> None:
    job = execute_plan(admin.actor, admin, plan)
    CleanupJob.objects.filter(pk=job.pk).update(state="failed", reason_text="Given up after 5 attempts.")

    assert settle_left_plans() == 1
    plan.refresh_from_db()
    assert (plan.state, plan.reason_text) == ("stopped", "Given up after 5 attempts.")


def test_a_cancelled_plan_never_becomes_ready(faulty_sandbox: Registry) -> None:
    plan = request_plan(ALICE, faulty_sandbox)
    assert request_cancel(plan.jobs.get())
    settle_left_plans()
    plan.refresh_from_db()
    assert plan.state == "stopped"


def test_two_cleanups_never_delete_one_digest_at_once(plan: Plan, admin: User) -> None:
    first, second = plan.jobs.get(), execute_plan(admin.actor, admin, plan)
    digest = Digest.of(b"anything")
    claim_deletion(digest, first)
    claim_deletion(digest, first)

    with pytest.raises(HeldError):
        claim_deletion(digest, second)
