"""The docker command line as people use it: with an engine behind it, and without one."""

from pathlib import Path

import pytest

from portal.demo.content import Files, Layout, Link, build_layout
from portal.demo.docker import Docker
from portal.demo.skopeo import Skopeo
from tests.real.registries import RegistryStarter

# The password of alice is in the tests below.
HTPASSWD = "alice:$2b$05$L2W4rVonjg/ho57UoHLOw./FthWJpSvHqT9dOv8UFs9c3sttwX6rG\n"
FILES: dict[str, Files] = {
    "linux/amd64": {"bin/tool": b"for amd64", "bin/sh": Link("tool")},
    "linux/arm64": {"bin/tool": b"for arm64", "bin/sh": Link("tool")},
}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return build_layout(tmp_path / "layout", FILES, {}, "1.0")


@pytest.fixture
def closed_registry(start_registry: RegistryStarter, tmp_path: Path) -> str:
    """Its host; alice alone may come in."""
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    auth = {"htpasswd": {"realm": "test", "path": str(tmp_path / "htpasswd")}}
    return start_registry(config={"auth": auth}).host


def test_login_without_an_engine_serves_skopeo_as_well(closed_registry: str, layout: Layout, tmp_path: Path) -> None:
    docker = Docker(tmp_path / "home")
    docker.config_folder.mkdir()
    docker.login(closed_registry, "alice", "sesame-opens-it").or_fail("login")
    assert docker.hosts() == {closed_registry}
    Skopeo(docker.authfile).push(layout, f"{closed_registry}/team/tool:1.0").or_fail("push")


def test_a_wrong_secret_is_refused_and_nothing_is_kept(closed_registry: str, tmp_path: Path) -> None:
    docker = Docker(tmp_path / "home")
    docker.config_folder.mkdir()
    refused = docker.login(closed_registry, "alice", "guessed")
    assert refused.code != 0
    assert "401 Unauthorized" in refused.complaint
    assert docker.hosts() == set()


@pytest.mark.docker_engine
def test_an_engine_pushes_per_platform_and_then_the_index(
    closed_registry: str, layout: Layout, docker: Docker, tmp_path: Path
) -> None:
    repository = f"{closed_registry}/team/tool"
    assert docker.push_layout(layout, repository, "1.0", tmp_path).code != 0
    docker.login(closed_registry, "alice", "sesame-opens-it").or_fail("login")
    docker.push_layout(layout, repository, "1.0", tmp_path).or_fail("push")
    index = Skopeo(docker.authfile).raw_manifest(f"{repository}:1.0").or_fail("inspect").text
    assert '"architecture": "arm64"' in index
    assert '"architecture": "amd64"' in index
    docker.pull(f"{repository}:1.0").or_fail("pull")
