"""One promotion on two real registries: asked for, approved, copied by digest, read back, tags last."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from portal.actor import system
from portal.jobs.models import JobState
from portal.jobs.run import run_job
from promotions.workflow.advance import advance
from promotions.workflow.models import Execution, PromotionRequest, RequestState
from promotions.workflow.requests import retry_request
from registries.catalog.models import SyncJob, TagEvent, TagIntent
from registries.catalog.sync import request_sync
from registries.copies.models import CopyJob
from registries.oci.auth import Anonymous
from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.topology.models import Reach, Registry
from tests.fakes.content import put_image, put_index, put_signature
from tests.promotions.workflow.world import SOURCE_LABEL, VERSION_LABEL, World, say
from tests.real.registries import RegistryStarter

REPOSITORY = "payments/api"


@pytest.fixture
def clients(world: World, start_registry: RegistryStarter) -> Iterator[dict[str, Client]]:
    """Whoever asks the registries directly, past the portal."""
    with ExitStack() as stack:
        found = {}
        for row in (world.ci, world.prod):
            server = start_registry(row.name)
            row.base_url, row.host, row.reach = server.url, server.host, Reach.OBSERVED
            row.save()
            found[row.name] = Client(server.url, Anonymous())
            stack.callback(found[row.name].close)
        yield found


def build(client: Client, version: str = "1.4.2") -> Digest:
    """What CI pushes: two platforms that share a layer, and a signature."""
    labels = {VERSION_LABEL: version, SOURCE_LABEL: "https://git.example/api"}
    children = [
        put_image(client, REPOSITORY, architecture=name, layers=(b"shared", name.encode() * 500), labels=labels)
        for name in ("amd64", "arm64")
    ]
    digest = put_index(client, REPOSITORY, children, tag=f"{version}-rc1")
    put_signature(client, REPOSITORY, digest, 500)
    return digest


def see(registry: Registry) -> None:
    job = request_sync(system("sync"), registry)
    done = run_job(SyncJob, job.pk)
    assert done is not None
    assert done.state == JobState.DONE, done.reason_text


def carry_out(request: PromotionRequest, attempts: int = 8) -> CopyJob:
    """What the workers do, one after the other."""
    advance()
    execution = Execution.objects.filter(request=request).latest("pk")
    run_job(Execution, execution.pk)
    copy = CopyJob.objects.filter(executions=execution).get()
    CopyJob.objects.filter(pk=copy.pk).update(max_attempts=attempts)
    run_job(CopyJob, copy.pk)
    advance()
    run_job(Execution, execution.pk)
    advance()
    request.refresh_from_db()
    copy.refresh_from_db()
    return copy


def test_from_the_push_to_prod(world: World, clients: dict[str, Client]) -> None:
    digest = build(clients["ci"])
    see(world.ci)
    request = world.ask(digest, source_tag="1.4.2-rc1")
    assert request.state == RequestState.AWAITING_APPROVAL, request.reason_text
    say("bob", world, request)
    copy = carry_out(request)
    assert request.state == RequestState.COMPLETED, request.reason_text
    assert clients["prod"].get_manifest(REPOSITORY, "1.4.2").digest == digest
    assert copy.verified_digests > 5
    intent = TagIntent.objects.get()
    assert (intent.tag, intent.cause_label, str(intent.new_digest)) == ("1.4.2", "copies.copyjob", str(digest))
    event = TagEvent.objects.get(repository__registry=world.prod)
    assert (event.source, event.new_digest) == (TagEvent.Source.JOB, digest)


def test_somebody_else_sets_the_tag_in_between(world: World, clients: dict[str, Client]) -> None:
    """The catalog does not know yet; the registry is asked right before the tag is put."""
    digest = build(clients["ci"])
    see(world.ci)
    request = world.ask(digest)
    say("bob", world, request)
    put_index(clients["prod"], REPOSITORY, [put_image(clients["prod"], REPOSITORY)], tag="1.4.2")
    carry_out(request)
    assert (request.state, request.reason_code) == (RequestState.FAILED, "target_tag_conflict")
    assert clients["prod"].get_manifest(REPOSITORY, "1.4.2").digest != digest


def test_prod_is_down_and_comes_back(world: World, clients: dict[str, Client]) -> None:
    digest = build(clients["ci"])
    see(world.ci)
    request = world.ask(digest)
    say("bob", world, request)
    address = world.prod.base_url
    Registry.objects.filter(pk=world.prod.pk).update(base_url="http://127.0.0.1:1")
    copy = carry_out(request, attempts=1)
    assert (request.state, copy.state) == (RequestState.FAILED, JobState.FAILED)
    assert "prod" in request.reason_text
    Registry.objects.filter(pk=world.prod.pk).update(base_url=address)
    retry_request(world.robot.actor, request)
    carry_out(request)
    assert request.state == RequestState.COMPLETED, request.reason_text
    assert clients["prod"].get_manifest(REPOSITORY, "1.4.2").digest == digest
