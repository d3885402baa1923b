"""The Docker engine as people use it, with real logins: per platform, then the index; and blobs mounted across repositories."""

from contextlib import closing
from pathlib import Path

import pytest
from pytest_django import Settings

from portal.demo.docker import Docker
from portal.demo.ports import Ports
from portal.demo.processes import Processes
from registries.access.connect import client_for
from registries.oci.scope import Scope
from tests.real.registries import RegistryStarter
from tests.registries.access.cast import make_person, person_login
from tests.registries.access.live import make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.docker_engine]


@pytest.mark.timeout(240)
def test_docker_logs_in_pushes_pulls_and_is_refused(
    docker: Docker,
    settings: Settings,
    tmp_path: Path,
    ports: Ports,
    processes: Processes,
    start_registry: RegistryStarter,
) -> None:
    world = make_world(settings, tmp_path, ports, processes, start_registry)
    sandbox, prod = world.registry("sandbox"), world.registry("prod")
    alice = person_login(make_person("alice"))
    wrong = docker.login(sandbox.host, "alice", "my sign-in password")
    assert wrong.code != 0
    assert docker.hosts() == set()
    for server in (sandbox, prod):
        docker.login(server.host, alice.username, alice.secret).or_fail("docker login")
    image = world.image()
    docker.push_layout(image, f"{sandbox.host}/alice/app", "1", tmp_path / "scratch").or_fail("docker push")
    docker.pull(f"{sandbox.host}/alice/app:1").or_fail("docker pull")
    docker.push_layout(image, f"{sandbox.host}/alice/other", "1", tmp_path / "again").or_fail(
        "push beside it, by mount"
    )
    refused = docker.push_layout(image, f"{prod.host}/alice/app", "1", tmp_path / "refused")
    assert refused.code != 0
    assert "denied" in refused.stderr or "unauthorized" in refused.stderr
    with closing(client_for(world.row("prod"), "sync", [Scope.repository("**", "pull")])) as client:
        assert client.head_manifest("alice/app", "1") is None
