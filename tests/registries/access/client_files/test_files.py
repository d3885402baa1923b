"""What stands in the files: read back by parsers, as the programs do."""

import base64
import json
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from registries.access.client_files.closest import Plan
from registries.access.client_files.kubernetes import PLACEHOLDER, Puller
from registries.access.client_files.setups import CLIENTS, files_by_path, setups_for
from registries.access.client_files.toml_text import quoted
from tests.registries.access.client_files.coast import planned

PULL = ["pull", "resolve"]
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
# Every peculiarity at once: a port, plain HTTP, certificates, TLS that nobody checks, Docker Hub.
ODD: dict[str, dict[str, Any]] = {
    "prod": {"host": "prod.example:5000", "certificates": PEM},
    "prod_eu": {"host": "prod-eu.example:5000", "certificates": PEM},
    "prod_us": {"host": "prod-us.example", "is_verified": False},
    "sandbox": {"host": "127.0.0.1:5001", "is_plain": True},
    "hub": {"host": "docker.io", "reach": "observed"},
    "cache_eu": {"host": "[fd00::1]:5000", "is_plain": True},
}


def texts(client: str, plan: Plan, puller: Puller | None = None) -> dict[str, str]:
    found = files_by_path(setups_for(client, plan, puller or Puller("robot.shop")))
    return {path: file.text for path, file in found.items()}


def notes(client: str, plan: Plan) -> str:
    return "\n".join(f"{note.text} {note.code}" for one in setups_for(client, plan, Puller()) for note in one.notes)


def hosts(plan: Plan, folder: str) -> dict[str, Any]:
    return tomllib.loads(texts("containerd", plan)[f"certs.d/{folder}/hosts.toml"])


def test_containerd_asks_the_replica_first_and_pushes_to_prod_alone() -> None:
    found = hosts(planned("eu"), "prod.example")
    assert found["server"] == "https://prod.example"
    assert list(found["host"]) == ["https://prod-eu.example", "https://prod.example", "https://prod-us.example"]
    assert all(one["capabilities"] == PULL for one in found["host"].values())
    assert "capabilities" not in found, "what is not said of the server is all of it, pushes too"


def test_containerd_is_told_of_ports_certificates_and_plain_http() -> None:
    plan = planned("eu", **ODD)
    found = hosts(plan, "prod.example_5000_")
    assert found["ca"] == "ca.crt"
    assert found["host"]["https://prod-eu.example:5000"] == {"capabilities": PULL, "ca": "prod-eu.crt"}
    assert found["host"]["https://prod-us.example"] == {"capabilities": PULL, "skip_verify": True}
    files = texts("containerd", plan)
    assert files["certs.d/prod.example_5000_/ca.crt"] == files["certs.d/prod.example_5000_/prod-eu.crt"] == PEM


def test_containerd_knows_docker_hub_by_its_two_names() -> None:
    found = hosts(planned("eu", **ODD), "docker.io")
    assert found["server"] == "https://registry-1.docker.io"
    assert list(found["host"]) == ["http://[fd00::1]:5000"]


def test_containerd_gets_a_host_even_where_nothing_is_closer() -> None:
    """Releases such as 1.6 refuse a file without one."""
    found = hosts(planned("eu", **ODD), "127.0.0.1_5001_")
    assert found["server"] == "http://127.0.0.1:5001"
    assert found["host"] == {"http://127.0.0.1:5001": {"capabilities": ["pull", "resolve", "push"]}}


def test_containerd_needs_no_file_where_nothing_is_to_be_said() -> None:
    assert "certs.d/sandbox.example/hosts.toml" not in texts("containerd", planned("eu"))
    assert texts("containerd", planned("")) == {}
    assert "needs no file" in notes("containerd", planned(""))


def test_no_secret_of_ours_is_to_be_given_where_docker_hub_would_see_it() -> None:
    """containerd shows the login of an image's name to whom it asks, the original among them."""
    assert "docker.io would be shown it too" in notes("containerd", planned("eu", **ODD))
    assert "shown it too" not in notes("containerd", planned("eu", **{**ODD, "cache_eu": {"reach": "observed"}}))
    assert "docker.io" not in secret_of(planned("eu", **ODD), Puller())["stringData"][".dockerconfigjson"]


def test_podman_asks_in_the_same_order() -> None:
    found = tomllib.loads(texts("podman", planned("eu", **ODD))["registries.conf.d/50-portreeve.conf"])
    by_prefix = {row["prefix"]: row for row in found["registry"]}
    assert by_prefix["prod.example:5000"]["mirror"] == [
        {"location": "prod-eu.example:5000"},
        {"location": "prod.example:5000"},
        {"location": "prod-us.example", "insecure": True},
    ]
    assert by_prefix["docker.io"] == {
        "prefix": "docker.io", "location": "docker.io", "mirror": [{"location": "[fd00::1]:5000", "insecure": True}],
    }  # fmt: skip
    assert by_prefix["127.0.0.1:5001"]["insecure"] is True
    assert by_prefix["[fd00::1]:5000"]["insecure"] is True, "the cache by its own name"
    assert "archive.example" not in by_prefix


def test_podman_and_docker_share_their_certificates() -> None:
    plan = planned("eu", **ODD)
    path = "certs.d/prod.example:5000/ca.crt"
    assert texts("podman", plan)[path] == texts("docker", plan)[path] == PEM


def test_docker_knows_mirrors_of_docker_hub_alone() -> None:
    plan = planned("eu", **ODD)
    assert json.loads(texts("docker", plan)["daemon.json"]) == {
        "registry-mirrors": ["http://[fd00::1]:5000"],
        "insecure-registries": ["127.0.0.1:5001", "[fd00::1]:5000", "prod-us.example"],
    }
    said = notes("docker", plan)
    assert "Docker Hub alone" in said
    assert "docker pull prod-eu.example:5000/NAME:TAG" in said
    assert "official images are called library/NAME" in said
    assert "certs.d to /etc/docker/certs.d" in said


def test_docker_needs_no_file_where_nothing_is_to_be_said() -> None:
    assert texts("docker", planned("us")) == {}


def secret_of(plan: Plan, puller: Puller) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(texts("kubernetes", plan, puller)["pull-secret.yaml"])
    return found


def test_a_pull_secret_has_a_place_for_what_is_never_shown() -> None:
    found = secret_of(planned("eu", **ODD), Puller("robot.shop", namespace="123"))
    assert (found["kind"], found["type"]) == ("Secret", "kubernetes.io/dockerconfigjson")
    assert found["metadata"] == {"name": "portreeve-pull", "namespace": "123"}
    auths = json.loads(found["stringData"][".dockerconfigjson"])["auths"]
    assert auths["prod.example:5000"] == {"username": "robot.shop", "password": PLACEHOLDER}
    assert "prod-eu.example:5000" in auths
    assert "127.0.0.1:5001" not in auths, "robots get nothing from a sandbox"
    assert "docker.io" not in auths, "it takes no login of ours"


def test_a_pull_secret_with_its_secret_also_serves_tools_that_read_the_file() -> None:
    found = secret_of(planned("eu"), Puller("robot.shop", "ptr_0_x"))
    login = json.loads(found["stringData"][".dockerconfigjson"])["auths"]["prod.example"]
    assert base64.b64decode(login["auth"]).decode() == "robot.shop:ptr_0_x"
    assert login["password"] == "ptr_0_x"
    setups = setups_for("all", planned("eu"), Puller("robot.shop", "ptr_0_x"))
    assert [file.path for file in files_by_path(setups).values() if file.is_secret] == ["pull-secret.yaml"]
    assert "ptr_0_x" not in repr(Puller("robot.shop", "ptr_0_x"))


@pytest.mark.parametrize(
    "puller",
    [Puller(namespace="Shop"), Puller(namespace="a" * 64), Puller(secret_name="-x"), Puller(secret_name="a..b"),
     Puller(secret_name=""), Puller(namespace="x\nkind: Pod")],
)  # fmt: skip
def test_names_that_kubernetes_refuses_are_found_out_before(puller: Puller) -> None:
    assert list(puller.findings)


def test_names_that_kubernetes_takes() -> None:
    assert not list(Puller(namespace="shop-1", secret_name="pull.shop").findings)


@pytest.mark.parametrize("location", ["", "eu", "us", "hq"])
def test_every_file_parses_and_is_the_same_twice(location: str) -> None:
    plan = planned(location, **ODD)
    assert {one.client for one in setups_for("all", plan, Puller())} == set(CLIENTS)
    files = texts("all", plan)
    assert files == texts("all", planned(location, **ODD))
    readers: dict[str, Callable[[str], Any]] = {
        "toml": tomllib.loads,
        "conf": tomllib.loads,
        "json": json.loads,
        "yaml": yaml.safe_load,
        "crt": str,
    }
    for path, text in files.items():
        assert readers[path.rpartition(".")[2]](text), path
        assert ".." not in path


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a\nb", "tab\t", "del\x7f", "é🐙", "\x00"])
def test_texts_are_quoted_as_toml_wants_them(text: str) -> None:
    assert tomllib.loads(f"x = {quoted(text)}") == {"x": text}
