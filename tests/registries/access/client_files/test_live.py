"""The written files in the hands of the real programs: real registries, real tokens, and access logs that tell who was asked."""

import base64
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from pytest_django import Settings

from portal.demo.content import Layout, build_layout
from portal.demo.docker import Docker
from portal.demo.ports import Ports
from portal.demo.processes import Processes
from portal.demo.programs import Outcome, run
from portal.demo.registries import RegistryServer
from portal.demo.skopeo import Skopeo
from registries.access.connect import client_for
from registries.access.models import AccessRule
from registries.oci.copy import copy_artifact
from registries.oci.digest import Digest
from registries.oci.scope import Scope
from registries.topology.models import Location, Registry
from tests.real import engine
from tests.real.certificates import Authority
from tests.real.containerd import Ctr
from tests.real.registries import RegistryStarter
from tests.registries.access.cast import Login, make_registry, make_robot, make_team, robot_login
from tests.registries.access.live import World, make_world

# Everything is filled by skopeo.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(180),
    pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo not found; install the package skopeo"),
]
IMAGE = "team/app"


@dataclass
class Coast:
    """prod in the data centre, its replica in Europe, both with the same image; shop, who may pull it."""

    world: World
    prod: RegistryServer
    replica: RegistryServer
    digest: str
    shop: Login
    reading: "Reading"

    def write(self, client: str, *arguments: str) -> Path:
        return write_files(self.world.folder / "written" / client, client, *arguments)


class Reading:
    """What registries gave out since the last look, by their own logs."""

    def __init__(self, *servers: RegistryServer) -> None:
        self._read: dict[str, int] = {}
        for server in servers:
            self.asked_since(server)

    def asked_since(self, server: RegistryServer) -> list[str]:
        """Manifests and blobs, as the addresses name them."""
        text = server.running.log.read_text()
        fresh = text[self._read.get(server.name, 0) :]
        self._read[server.name] = len(text)
        return re.findall(rf'"GET /v2/{IMAGE}/((?:manifests|blobs)/[^ ?]+)[^"]*" 200', fresh)


def write_files(folder: Path, client: str, *arguments: str) -> Path:
    """As an operator has them written for Europe."""
    command = ["client_config", "eu", "--for", client, "--write", str(folder), *arguments]
    call_command(*command, stdout=io.StringIO(), stderr=io.StringIO())
    return folder


@pytest.fixture
def coast(
    settings: Settings, tmp_path: Path, ports: Ports, processes: Processes, start_registry: RegistryStarter
) -> Coast:
    world = make_world(settings, tmp_path, ports, processes, start_registry)
    dc, eu = (Location.objects.create(name=name) for name in ("dc", "eu"))
    snapshots, prod = world.registry("ci-snapshots"), world.registry("prod", location=dc)
    row = world.row("prod")
    replica = world.registry("prod-eu", "prod", location=eu, primary=row, is_replication_enabled=True)
    team = make_team("shop")
    robot = make_robot("shop", team, "consumer")
    AccessRule.objects.create(team=team, zone=row.zone, pattern="team/**")
    image = world.image()
    builder = Docker(tmp_path / "builder")
    builder.config_folder.mkdir()
    ci = robot_login(make_robot("shop-ci", team))
    builder.login(snapshots.host, ci.username, ci.secret).or_fail("docker login")
    Skopeo(builder.authfile).push(image, f"{snapshots.host}/{IMAGE}:1").or_fail("CI pushes")
    for name in ("prod", "prod-eu"):
        carry(world.row("ci-snapshots"), world.row(name), image.digest)
    return Coast(world, prod, replica, image.digest, robot_login(robot), Reading(prod, replica))


def carry(source: Registry, target: Registry, digest: str) -> None:
    """As the pipeline does it."""
    pull, push = Scope.repository(IMAGE, "pull"), Scope.repository(IMAGE, "pull", "push")
    with (
        closing(client_for(source, "pipeline", [pull])) as reader,
        closing(client_for(target, "pipeline", [push])) as writer,
    ):
        copy_artifact(reader, IMAGE, Digest.parse(digest), writer, IMAGE, tags=["1"])


@pytest.fixture
def home() -> Iterator[Path]:
    """podman takes no path of more than fifty characters for what it runs."""
    with tempfile.TemporaryDirectory(prefix="c-") as folder:
        yield Path(folder)


@dataclass(frozen=True)
class Person:
    """One of podman, buildah and skopeo, with a home of its own, as somebody who has copied the files there."""

    program: str
    home: Path

    def take(self, folder: Path) -> None:
        shutil.copytree(folder, self.home / ".config" / "containers", dirs_exist_ok=True)
        (self.home / ".config/containers/policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')

    def login(self, host: str, login: Login) -> None:
        self("login", f"--username={login.username}", "--password-stdin", host, given=login.secret).or_fail("login")

    def pull(self, image: str) -> Outcome:
        """Into a place where nothing is yet."""
        place = Path(tempfile.mkdtemp(dir=self.home))
        if self.program == "skopeo":
            return self("copy", "--quiet", f"docker://{image}", f"dir:{place}")
        return self("pull", "--quiet", image, place=place)

    def __call__(self, verb: str, *arguments: str, given: str | None = None, place: Path | None = None) -> Outcome:
        at = place or self.home
        stores = [f"--root={at}/r", f"--runroot={at}/x", "--storage-driver=vfs"] if self.program != "skopeo" else []
        env = {**os.environ, "HOME": str(self.home), "REGISTRY_AUTH_FILE": f"{self.home}/auth.json"}
        return run([self.program, *stores, verb, *arguments], env=env, given=given)


@pytest.mark.parametrize("program", ["podman", "buildah", "skopeo"])
def test_podman_and_its_relatives_pull_from_the_replica_and_from_prod_when_it_is_down(
    coast: Coast, home: Path, program: str
) -> None:
    if not shutil.which(program):
        pytest.skip(f"{program} not found; install the package {program}")
    person = Person(program, home)
    person.take(coast.write("podman"))
    for server in (coast.prod, coast.replica):
        person.login(server.host, coast.shop)
    image = f"{coast.prod.host}/{IMAGE}:1"
    person.pull(image).or_fail("pull")
    assert "manifests/1" in coast.reading.asked_since(coast.replica)
    assert coast.reading.asked_since(coast.prod) == []
    coast.world.start.stop(coast.replica)
    person.pull(image).or_fail("pull while the replica is down")
    assert "manifests/1" in coast.reading.asked_since(coast.prod)


def test_without_a_login_at_the_replica_it_is_prod_that_gives(coast: Coast, home: Path) -> None:
    """Each registry wants a login of its own, and a refusal is no end."""
    person = Person("skopeo", home)
    person.take(coast.write("podman"))
    person.login(coast.prod.host, coast.shop)
    person.pull(f"{coast.prod.host}/{IMAGE}:1").or_fail("pull")
    assert coast.reading.asked_since(coast.replica) == []
    assert "manifests/1" in coast.reading.asked_since(coast.prod)


def test_containerd_pulls_from_the_replica_and_from_prod_when_it_is_down(coast: Coast, ctr: Ctr) -> None:
    hosts = coast.write("containerd") / "certs.d"
    image, user = f"{coast.prod.host}/{IMAGE}:1", f"{coast.shop.username}:{coast.shop.secret}"
    ctr.pull(hosts, image, user).or_fail("ctr content fetch")
    assert "manifests/1" not in coast.reading.asked_since(coast.prod), "containerd resolves at the replica"
    assert f"manifests/{coast.digest}" in coast.reading.asked_since(coast.replica)
    ctr.remove(image)
    coast.world.start.stop(coast.replica)
    ctr.pull(hosts, image, user).or_fail("ctr content fetch while the replica is down")
    assert f"manifests/{coast.digest}" in coast.reading.asked_since(coast.prod)


def test_containerd_pushes_to_the_registry_itself_and_to_nobody_closer(
    tmp_path: Path, start_registry: RegistryStarter, ctr: Ctr
) -> None:
    """Two open registries, for nobody but the pipeline pushes to prod."""
    dc, eu = (Location.objects.create(name=name) for name in ("dc", "eu"))
    main, copy = start_registry("main"), start_registry("copy")
    row = make_registry("main", "ci-tests", url=main.url, location=dc)
    make_registry("copy", "ci-tests", url=copy.url, location=eu, primary=row, is_replication_enabled=True)
    hosts = write_files(tmp_path, "containerd") / "certs.d"
    assert f'[host."{copy.url}"]' in (hosts / f"127.0.0.1_{main.port}_" / "hosts.toml").read_text()
    Skopeo().push(small_image(tmp_path, "to be pushed"), f"{main.host}/app:1").or_fail("push")
    ctr.pull(hosts, f"{main.host}/app:1").or_fail("ctr content fetch, which finds it at main alone")
    ctr.push(hosts, f"{main.host}/again:1", f"{main.host}/app:1", "linux/amd64").or_fail("ctr images push")
    assert Skopeo().raw_manifest(f"{main.host}/again:1").code == 0
    assert Skopeo().raw_manifest(f"{copy.host}/again:1").code != 0


def test_certificates_of_an_authority_of_ones_own_come_with_the_files(
    tmp_path: Path, start_registry: RegistryStarter, home: Path, ctr: Ctr
) -> None:
    authority = Authority(tmp_path / "authority")
    dc, eu = (Location.objects.create(name=name) for name in ("dc", "eu"))
    main, copy = (
        start_registry(name, config={"log": {"level": "info"}, "http": {"tls": authority.for_loopback(name)}})
        for name in ("main", "copy")
    )
    row = make_registry("main", "ci-tests", url=f"https://{main.host}", location=dc, ca_bundle=str(authority.bundle))
    make_registry(
        "copy", "ci-tests", url=f"https://{copy.host}", location=eu, primary=row, is_replication_enabled=True,
        ca_bundle=str(authority.bundle),
    )  # fmt: skip
    image = small_image(tmp_path, "over TLS")
    for server in (main, copy):
        Skopeo().push(image, f"{server.host}/{IMAGE}:1").or_fail("push")
    person, hosts = Person("skopeo", home), write_files(tmp_path / "containerd", "containerd") / "certs.d"
    person.take(tmp_path / "authority")
    assert "certificate signed by unknown authority" in person.pull(f"{main.host}/{IMAGE}:1").stderr
    person.take(write_files(tmp_path / "podman", "podman"))
    reading = Reading(main, copy)
    for closest in (copy, main):
        person.pull(f"{main.host}/{IMAGE}:1").or_fail("skopeo copy")
        ctr.pull(hosts, f"{main.host}/{IMAGE}:1").or_fail("ctr content fetch")
        ctr.remove(f"{main.host}/{IMAGE}:1")
        assert {"manifests/1", f"manifests/{image.digest}"} <= set(reading.asked_since(closest))
        if closest is copy:
            start_registry.stop(copy)


def small_image(folder: Path, text: str = "hello") -> Layout:
    """What containerd has under one name it does not fetch again under another, so each test of it needs a text of its own."""
    return build_layout(folder / "image", {"linux/amd64": {"bin/hello": text.encode()}}, {}, "1")


@dataclass(frozen=True)
class HubCache:
    """A cache of Docker Hub in Europe that asks for tokens. It holds library/greeting:1, and a rule opens that to everyone."""

    server: RegistryServer
    digest: str


@pytest.fixture
def hub_cache(
    settings: Settings, tmp_path: Path, ports: Ports, processes: Processes, start_registry: RegistryStarter
) -> HubCache:
    """Docker Hub is not to be reached from tests, so the cache is filled by hand before it asks anybody who he is."""
    world = make_world(settings, tmp_path, ports, processes, start_registry)
    eu, port = Location.objects.create(name="eu"), start_registry.take_port()
    filling = start_registry("cache-eu", port=port)
    image = build_layout(tmp_path / "greeting", {"linux/amd64": {"bin/hello": b"from the cache"}}, {}, "1")
    Skopeo().push(image, f"{filling.host}/library/greeting:1").or_fail("the cache is filled")
    start_registry.stop(filling)
    hub = make_registry("hub", "upstream", url="https://registry-1.docker.io", reach="observed", host="docker.io")
    make_registry("cache-eu", "cache", url=filling.url, fronts=hub, location=eu)
    AccessRule.objects.create(zone=hub.zone, pattern="library/**", is_public=True)
    config = world.printed("cache-eu")
    del config["proxy"]
    return HubCache(start_registry("cache-eu", config=config, port=port), image.digest)


@pytest.mark.docker_engine
def test_docker_takes_images_of_docker_hub_from_the_cache_of_its_location(hub_cache: HubCache, tmp_path: Path) -> None:
    reason = engine.why_absent()
    if reason:
        pytest.skip(reason)
    daemon_json = write_files(tmp_path / "written", "docker") / "daemon.json"
    with engine.docker_engine(daemon_json) as host:
        told = run(["docker", "info", "--format", "{{json .RegistryConfig}}"], env={**os.environ, "DOCKER_HOST": host})
        known = json.loads(told.or_fail("docker info").text)
        engine.docker_with_engine(tmp_path / "docker", host).pull("greeting:1").or_fail("docker pull")
    assert known["Mirrors"] == [f"{hub_cache.server.url}/"]
    assert known["IndexConfigs"][hub_cache.server.host]["Secure"] is False
    assert f"/v2/library/greeting/manifests/{hub_cache.digest}" in hub_cache.server.running.log.read_text()


def test_containerd_takes_images_of_docker_hub_from_the_cache_of_its_location(
    hub_cache: HubCache, tmp_path: Path, ctr: Ctr
) -> None:
    hosts = write_files(tmp_path / "written", "containerd") / "certs.d"
    ctr.pull(hosts, "docker.io/library/greeting:1").or_fail("ctr content fetch")
    assert hub_cache.digest in ctr("images", "ls").text
    assert f"/v2/library/greeting/manifests/{hub_cache.digest}" in hub_cache.server.running.log.read_text()


def test_the_pull_secret_is_what_kubectl_itself_would_make(coast: Coast, tmp_path: Path) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl not found")
    (tmp_path / "secret").write_text(coast.shop.secret)
    folder = coast.write(
        "kubernetes", "--robot", "shop", "--secret-file", str(tmp_path / "secret"), "--namespace", "shop"
    )
    ours = yaml.safe_load((folder / "pull-secret.yaml").read_text())
    host = coast.prod.host
    login = [
        f"--docker-server={host}",
        f"--docker-username={coast.shop.username}",
        f"--docker-password={coast.shop.secret}",
    ]
    made = ["kubectl", "create", "secret", "docker-registry", "portreeve-pull", "--namespace=shop", *login]
    theirs = json.loads(run([*made, "--dry-run=client", "--output=json"]).or_fail("kubectl create secret").text)
    assert (ours["type"], ours["metadata"]["namespace"]) == (theirs["type"], theirs["metadata"]["namespace"])
    config = json.loads(base64.b64decode(theirs["data"][".dockerconfigjson"]))
    assert json.loads(ours["stringData"][".dockerconfigjson"])["auths"][host] == config["auths"][host]
