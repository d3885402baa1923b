"""Real clients, real registries, a real server of tokens: log in, push, pull, be refused."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pytest_django import Settings

from portal.demo.docker import Docker
from portal.demo.ports import Ports
from portal.demo.processes import Processes
from portal.demo.skopeo import Skopeo, pulled_digest
from registries.access.connect import client_for
from registries.access.counts.record_models import Denial
from registries.access.models import AccessRule, PersonalToken
from registries.oci.copy import copy_artifact
from registries.oci.digest import Digest
from registries.oci.scope import Scope
from tests.real.registries import RegistryStarter
from tests.registries.access.cast import (
    Login,
    make_person,
    make_registry,
    make_robot,
    make_team,
    person_login,
    robot_login,
)
from tests.registries.access.live import Containers, World, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(
    settings: Settings, tmp_path: Path, ports: Ports, processes: Processes, start_registry: RegistryStarter
) -> World:
    return make_world(settings, tmp_path, ports, processes, start_registry)


@pytest.fixture
def alice() -> Login:
    return person_login(make_person("alice"))


def docker_of(world: World, name: str) -> Docker:
    """The command line without an engine."""
    folder = world.folder / name
    folder.mkdir()
    return Docker(folder)


def skopeo_of(docker: Docker) -> Skopeo:
    return Skopeo(docker.authfile)


@pytest.mark.skipif(not (shutil.which("docker") and shutil.which("skopeo")), reason="docker and skopeo")
def test_a_developer_pushes_to_sandbox_and_is_refused_by_prod(world: World, alice: Login) -> None:
    sandbox, prod = world.registry("sandbox"), world.registry("prod")
    docker = docker_of(world, "alice")
    for server in (sandbox, prod):
        docker.login(server.host, alice.username, alice.secret).or_fail("docker login")
    skopeo, image = skopeo_of(docker), world.image()
    skopeo.push(image, f"{sandbox.host}/alice/app:1").or_fail("push to sandbox")
    skopeo.pull(f"{sandbox.host}/alice/app:1", world.folder / "pulled").or_fail("pull from sandbox")
    assert skopeo.push(image, f"{prod.host}/alice/app:1").code != 0
    assert skopeo.pull(f"{prod.host}/alice/app:1", world.folder / "refused").code != 0
    refused = Denial.objects.get(registry=world.row("prod"), code="pipeline_only")
    assert (refused.principal, refused.reason) == ("alice", "prod takes images only from the promotion pipeline")


@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo")
def test_ci_pushes_and_a_consumer_pulls_what_it_was_granted(world: World) -> None:
    snapshots, sandbox = world.registry("ci-snapshots"), world.registry("sandbox")
    team = make_team("payments")
    ci, shop = robot_login(make_robot("payments-ci", team)), robot_login(make_robot("shop", team, "consumer"))
    builder, consumer = docker_of(world, "ci"), docker_of(world, "shop")
    for docker, login in ((builder, ci), (consumer, shop)):
        for server in (snapshots, sandbox):
            docker.login(server.host, login.username, login.secret).or_fail("docker login")
    image = world.image()
    skopeo_of(builder).push(image, f"{snapshots.host}/payments/tool:1").or_fail("CI pushes")
    assert skopeo_of(builder).push(image, f"{sandbox.host}/payments/tool:1").code != 0
    skopeo_of(consumer).pull(f"{snapshots.host}/payments/tool:1", world.folder / "a").or_fail(
        "everyone pulls snapshots"
    )
    AccessRule.objects.create(effect="deny", team=team, pattern="payments/tool")
    assert skopeo_of(consumer).pull(f"{snapshots.host}/payments/tool:1", world.folder / "b").code != 0
    assert skopeo_of(consumer).push(image, f"{snapshots.host}/payments/other:1").code != 0


@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo")
def test_strangers_pull_what_a_rule_makes_public(world: World) -> None:
    archive = world.registry("archive", kind="archive")
    stranger = Skopeo()
    assert "unauthorized" in stranger.raw_manifest(f"{archive.host}/library/alpine:3").stderr
    AccessRule.objects.create(zone=world.row("archive").zone, pattern="library/**", is_public=True)
    assert "manifest unknown" in stranger.raw_manifest(f"{archive.host}/library/alpine:3").stderr


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """podman takes no path of more than fifty characters for what it runs."""
    with tempfile.TemporaryDirectory(prefix="c-") as folder:
        yield Path(folder)


@pytest.mark.parametrize("program", ["podman", "buildah"])
def test_podman_and_buildah_work_as_they_are(world: World, alice: Login, program: str, short_folder: Path) -> None:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    sandbox, prod = world.registry("sandbox"), world.registry("prod")
    client = Containers(program, short_folder)
    wrong = client.login(sandbox.host, Login(alice.username, alice.secret[:-4] + "oops"))
    assert (wrong.code, "invalid username/password" in wrong.stderr) == (125, True), wrong.stderr
    for server in (sandbox, prod):
        client.login(server.host, alice).or_fail("login")
    image = client.load(world.image())
    client.push(image, f"{sandbox.host}/alice/app:1").or_fail("push")
    client.pull(f"{sandbox.host}/alice/app:1").or_fail("pull")
    assert client.push(image, f"{prod.host}/alice/app:1").code != 0
    PersonalToken.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert "invalid username/password" in client.login(sandbox.host, alice).stderr
    assert client.push(image, f"{sandbox.host}/alice/app:2").code != 0


def test_docker_login_fails_with_what_is_wrong_and_says_what_is_right(world: World, alice: Login) -> None:
    sandbox = world.registry("sandbox")
    docker = docker_of(world, "alice")
    said = docker.login(sandbox.host, alice.username, "my sign-in password")
    assert said.code != 0
    assert "personal token" in said.stderr
    PersonalToken.objects.update(expires_at="2026-01-01T00:00:00Z")
    assert docker.login(sandbox.host, alice.username, alice.secret).code != 0
    assert docker.hosts() == set()


def promote(world: World, repository: str, tag: str, digest: str) -> None:
    """As the pipeline does it."""
    pull, push = Scope.repository(repository, "pull"), Scope.repository(repository, "pull", "push")
    with (
        closing(client_for(world.row("ci-snapshots"), "pipeline", [pull])) as source,
        closing(client_for(world.row("prod"), "pipeline", [push])) as target,
    ):
        copy_artifact(source, repository, Digest.parse(digest), target, repository, tags=[tag])


@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo")
def test_a_cache_gives_what_its_origin_gives(world: World, alice: Login) -> None:
    """The cache of prod holds a robot's secret; people pull through it what prod would give them, no more."""
    snapshots, prod = world.registry("ci-snapshots"), world.registry("prod")
    team = make_team("platform")
    edge, builder = make_robot("edge", team, "consumer"), docker_of(world, "ci")
    AccessRule.objects.create(team=team, zone=world.row("prod").zone)
    ci, secret = robot_login(make_robot("platform-ci", team)), robot_login(edge)
    builder.login(snapshots.host, ci.username, ci.secret).or_fail("docker login")
    image = world.image()
    skopeo_of(builder).push(image, f"{snapshots.host}/team/app:1").or_fail("CI pushes")
    promote(world, "team/app", "1", image.digest)

    port = world.start.take_port()
    row = make_registry("cache-eu", "cache", url=f"http://127.0.0.1:{port}", fronts=world.row("prod"))
    config = world.printed("cache-eu")
    config["proxy"] = {"remoteurl": prod.url, "username": secret.username, "password": secret.secret}
    cache = world.start("cache-eu", config=config, port=port)
    docker = docker_of(world, "alice")
    docker.login(cache.host, alice.username, alice.secret).or_fail("docker login")
    assert skopeo_of(docker).pull(f"{cache.host}/team/app:1", world.folder / "a").code != 0
    why = Denial.objects.get(registry=row, principal="alice")
    assert why.reason.startswith("cache-eu is a cache of prod: no rule lets alice pull")
    AccessRule.objects.create(pattern="team/app", zone=world.row("prod").zone)
    skopeo_of(docker).pull(f"{cache.host}/team/app:1", world.folder / "b").or_fail("pull through the cache")
    assert pulled_digest(world.folder / "b") == image.digest
    assert skopeo_of(docker).push(image, f"{cache.host}/team/app:2").code != 0
