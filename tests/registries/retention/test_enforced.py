"""The whole way on registries that trust nothing but our tokens: sync, copy, cleanup, undo, each as its own principal."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from django.utils import timezone

from portal.jobs.run import run_job
from portal.users.models import User
from registries.access.connect import client_for
from registries.access.signing.keys import bundle_pem, ensure_key
from registries.catalog.models import Placement, Tag
from registries.copies.models import CopyJob
from registries.copies.order import order_copy
from registries.copies.verify import verify_placement
from registries.oci.digest import Digest
from registries.oci.scope import Scope
from registries.retention.operations import restore_tag
from registries.topology.models import Reach, Registry, ZoneKind
from tests.fakes.content import put_image, put_two_platforms
from tests.real.registries import RegistryStarter
from tests.registries.retention.stories import age, executed, outcomes, planned, run_open_job, sync, week
from tests.registries.rows import ALICE, make_registry

pytestmark = pytest.mark.django_db

Start = Callable[..., Registry]


@pytest.fixture
def start(start_registry: RegistryStarter) -> Start:
    def started(name: str, kind: ZoneKind, **fields: Any) -> Registry:
        port = start_registry.take_port()
        url = f"http://127.0.0.1:{port}"
        registry = make_registry(name, url, kind=kind, reach=Reach.ENFORCED, **fields)
        ensure_key(registry)
        token = {"realm": "http://127.0.0.1:9/token", "service": registry.service, "issuer": "127.0.0.1:8000"}
        start_registry(name, token=token, bundle=bundle_pem(registry), port=port)
        return registry

    return started


def push(registry: Registry, repository: str, tag: str, content: bytes = b"") -> Digest:
    """As the restorer, who may push everywhere."""
    with closing(client_for(registry, "restorer", [Scope.repository(repository, "pull", "push")])) as client:
        if content:
            return Digest(put_image(client, repository, tag=tag, layers=(content,))["digest"])
        return put_two_platforms(client, repository, tag)


def test_from_snapshots_to_prod_by_our_tokens_alone(start: Start) -> None:
    snapshots, prod = start("snapshots", ZoneKind.CI_SNAPSHOTS), start("prod", ZoneKind.PROD)
    digest = push(snapshots, "team/app", "1.0.0")
    sync(snapshots)

    job = order_copy(
        ALICE,
        purpose=CopyJob.Purpose.PROMOTION,
        principal="pipeline",
        source=snapshots,
        source_repository="team/app",
        digest=digest,
        target=prod,
        target_repository="team/app",
        tags=["1.0.0"],
        expected_digests={"1.0.0": ""},
        cause=prod,
    )
    ended = run_job(CopyJob, job.pk)

    assert ended is not None
    assert (ended.state, ended.reason_text) == ("done", "")
    assert verify_placement(prod, "team/app", digest).is_complete
    assert Tag.objects.get(repository__registry=prod).manifest.digest == digest
    sync(prod)
    assert Placement.objects.filter(repository__registry=prod, absent_since=None).count() == 4


def test_within_one_registry_blobs_are_mounted(start: Start) -> None:
    prod = start("prod", ZoneKind.PROD)
    digest = push(prod, "team/app", "1.0.0")

    job = order_copy(
        ALICE,
        purpose=CopyJob.Purpose.ROLLBACK,
        principal="pipeline",
        source=prod,
        source_repository="team/app",
        digest=digest,
        target=prod,
        target_repository="team/copy",
        tags=["1.0.0"],
        expected_digests={},
        cause=prod,
    )
    ended = run_job(CopyJob, job.pk)

    assert ended is not None
    assert (ended.state, ended.reason_text) == ("done", "")
    assert ended.blobs_mounted > 0
    assert (ended.blobs_copied, ended.bytes_copied) == (0, 0)


def test_a_sandbox_is_cleaned_and_a_tag_put_back(start: Start) -> None:
    sandbox = start("sandbox", ZoneKind.SANDBOX, is_retention_enabled=True)
    admin = User.objects.create(username="ada", email="ada@example.com", is_superuser=True)
    old = push(sandbox, "alice/app", "old")
    push(sandbox, "alice/app", "also")
    push(sandbox, "alice/app", "new", b"new")
    sync(sandbox)
    age(sandbox, "old")
    week(sandbox)

    plan = executed(planned(sandbox), admin)

    assert outcomes(plan) == {"alice/app:old": "deleted", "alice/app:also": "kept", "alice/app:new": "kept"}
    assert "its manifest stays" in plan.items.get(tag="old").outcome_text
    age(sandbox, "also")
    plan = executed(planned(sandbox), admin)
    assert outcomes(plan)["alice/app:also"] == "deleted"
    assert verify_placement(sandbox, "alice/app", old).missing == (old,)

    restore_tag(admin.actor, plan.items.get(tag="also"))
    assert run_open_job(plan).reason_text == ""
    assert verify_placement(sandbox, "alice/app", old).is_complete


def test_in_prod_a_shared_digest_keeps_its_tag_and_says_why(start: Start) -> None:
    prod = start("prod", ZoneKind.PROD, is_retention_enabled=True)
    admin = User.objects.create(username="ada", email="ada@example.com", is_superuser=True)
    push(prod, "team/app", "old")
    push(prod, "team/app", "latest")
    push(prod, "team/app", "alone", b"alone")
    sync(prod)
    age(prod, "old", "alone")
    week(prod)

    plan = executed(planned(prod), admin)

    assert outcomes(plan) == {"team/app:old": "kept", "team/app:latest": "kept", "team/app:alone": "deleted"}
    assert "deletes no single tags" in plan.items.get(tag="old").outcome_text
    assert plan.finished_at
    assert plan.finished_at <= timezone.now()
