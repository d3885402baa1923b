"""The scenes at the registries' doors, played on real registries that know a few people by password."""

import io
from pathlib import Path

import pytest

from portal.demo.cast import CI, CONSUMER, DEVELOPER, LABELS, VERSION
from portal.demo.content import build_layout
from portal.demo.errors import DemoError
from portal.demo.portal_server import PortalServer
from portal.demo.ports import Ports
from portal.demo.processes import Processes
from portal.demo.report import Report
from portal.demo.scene_clients import (
    fail_to_push_as_consumer,
    log_in,
    pull_as_consumer,
    push_from_ci,
    push_to_sandbox,
    verify_at,
)
from portal.demo.stage import Stage
from tests.real.registries import RegistryStarter

PASSWORD = "sesame-opens-it"
HASHED = "$2b$05$L2W4rVonjg/ho57UoHLOw./FthWJpSvHqT9dOv8UFs9c3sttwX6rG"


@pytest.fixture
def stage(tmp_path: Path, ports: Ports, processes: Processes, start_registry: RegistryStarter) -> Stage:
    """Registries that let in the developer, CI and the consumer alike; the image is small and made up."""
    everyone = (DEVELOPER, CI, CONSUMER)
    (tmp_path / "htpasswd").write_text("".join(f"{login}:{HASHED}\n" for login in everyone))
    auth = {"htpasswd": {"realm": "test", "path": str(tmp_path / "htpasswd")}}
    stage = Stage(
        tmp_path, ports, processes, Report(io.StringIO(), io.StringIO()), PortalServer(tmp_path, ports.take())
    )
    stage.secrets = dict.fromkeys(everyone, PASSWORD)
    for name in ("sandbox", "ci-snapshots", "prod"):
        stage.registries[name] = start_registry(name, config={"auth": auth})
    stage.registries["prod-eu"] = stage.registries["ci-snapshots"]
    files = {f"linux/{architecture}": {"bin/tool": architecture.encode()} for architecture in ("amd64", "arm64")}
    stage.image = build_layout(tmp_path / "image", files, LABELS, VERSION)
    return stage


def test_what_ci_pushed_is_what_a_consumer_gets(stage: Stage) -> None:
    assert log_in(stage).sentence.startswith("docker login of alice at sandbox and prod")
    sandbox, pushed = push_to_sandbox(stage), push_from_ci(stage)
    assert pushed.facts["digest"] == stage.built_image().digest
    assert str(sandbox.facts["digest"]).startswith("sha256:")
    assert verify_at(stage, "ci-snapshots", "prod-eu").facts["digest"] == pushed.facts["digest"]
    assert pull_as_consumer(stage).facts["digest"] == pushed.facts["digest"]


def test_a_registry_that_lacks_the_image_is_named(stage: Stage) -> None:
    push_from_ci(stage)
    with pytest.raises(DemoError, match=r"reading .* at prod failed: "):
        verify_at(stage, "ci-snapshots", "prod")


def test_a_registry_that_holds_something_else_is_named(stage: Stage, tmp_path: Path) -> None:
    push_from_ci(stage)
    stage.image = build_layout(tmp_path / "other", {"linux/amd64": {"bin/tool": b"other"}}, LABELS, VERSION)
    with pytest.raises(DemoError, match=r"ci-snapshots answers sha256:.*; CI had pushed sha256:"):
        verify_at(stage, "ci-snapshots")


def test_a_push_that_should_be_refused_and_is_not_fails_the_story(stage: Stage) -> None:
    push_from_ci(stage)
    verify_at(stage, "prod-eu")
    with pytest.raises(DemoError, match=r"^robot\.shop could push to prod-eu, which nobody but the pipeline may\.$"):
        fail_to_push_as_consumer(stage)


def test_a_push_that_fails_for_another_reason_is_no_refusal(stage: Stage, processes: Processes) -> None:
    push_from_ci(stage)
    verify_at(stage, "prod-eu")
    processes.stop(stage.registry("prod-eu").running)
    with pytest.raises(DemoError, match=r"was not refused: .*connection refused"):
        fail_to_push_as_consumer(stage)
