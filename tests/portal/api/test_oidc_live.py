"""From an identity token to a promotion: a real issuer, a real token endpoint, the docker command line and a real registry."""

import shutil
from pathlib import Path

import pytest
from pytest_django import Settings

from portal.actor import system
from portal.approvals.models import ApprovalRule
from portal.demo.docker import Docker
from portal.demo.ports import Ports
from portal.demo.processes import Processes
from portal.demo.skopeo import Skopeo
from portal.jobs.models import JobState
from portal.jobs.run import run_job
from portal.users.accounts import grant_role
from portal.users.models import Role
from promotions.workflow.models import PromotionPath, PromotionRequest
from registries.access.counts.record_models import Denial
from registries.access.keyless.federation_models import FederationRule, Issuer
from registries.catalog.models import SyncJob, Tag
from registries.catalog.sync import request_sync
from registries.topology.models import Registry
from tests.fakes.issuer import FakeIssuer, fake_issuer
from tests.portal.api.office import Door
from tests.real.registries import RegistryStarter
from tests.registries.access.cast import make_person, make_registry, make_robot, make_team
from tests.registries.access.live import make_world

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not (shutil.which("docker") and shutil.which("skopeo")), reason="docker and skopeo"),
]


def trust(issuer: FakeIssuer) -> None:
    """Jobs of repository 1234 act as robot.payments-ci, for names under payments."""
    FederationRule.objects.create(
        name="payments builds",
        issuer=Issuer.objects.create(name="GitHub", kind="github", url=issuer.url),
        robot=make_robot("payments-ci", make_team("payments")),
        conditions={"repository_id": ["1234"]},
        person_claim="actor",
        pattern="payments/**",
    )


def see(registry: Registry) -> None:
    done = run_job(SyncJob, request_sync(system("sync"), registry).pk)
    assert done is not None
    assert done.state == JobState.DONE, done.reason_text


def test_a_job_logs_in_pushes_and_asks_without_a_secret(
    settings: Settings, tmp_path: Path, ports: Ports, processes: Processes, start_registry: RegistryStarter
) -> None:
    world = make_world(settings, tmp_path, ports, processes, start_registry)
    snapshots = world.registry("ci-snapshots")
    path = PromotionPath.objects.create(name="out", source=world.row("ci-snapshots"), target=make_registry("prod"))
    make_person("alice")
    grant_role(system("portal"), make_person("bob"), Role.RELEASE_MANAGER)
    ApprovalRule.objects.create(
        policy_label="promotions.promotionpath", policy_key=str(path.pk), name="release managers", required=1,
        role=Role.RELEASE_MANAGER,
    )  # fmt: skip
    with fake_issuer() as issuer:
        trust(issuer)
        audience = Door().get("/oidc/audience").body["audience"]
        answer = Door().post("/oidc/exchange", {"token": issuer.token(audience)})
    assert answer.status == 200, answer.body
    (tmp_path / "job").mkdir()
    docker = Docker(tmp_path / "job")
    docker.login(snapshots.host, answer.body["username"], answer.body["token"]).or_fail("docker login")
    skopeo, image = Skopeo(docker.authfile), world.image()
    skopeo.push(image, f"{snapshots.host}/payments/api:9f2").or_fail("push")
    assert skopeo.push(image, f"{snapshots.host}/shop/api:9f2").code != 0
    assert Denial.objects.filter(code="narrow_credential", scope="repository:shop/api:push").exists()
    see(world.row("ci-snapshots"))
    asked = Door(answer.body["token"]).post(
        "/promotions",
        {
            "path": path.name,
            "source": {"repository": "payments/api", "digest": str(Tag.objects.get(name="9f2").manifest.digest)},
            "target": {"tags": ["1.0.0"]},
            "on_behalf_of": "",
        },
    )
    assert asked.status == 202, asked.body
    row = PromotionRequest.objects.get()
    assert (row.on_behalf_of.username, row.on_behalf_source) == ("alice", "oidc")
