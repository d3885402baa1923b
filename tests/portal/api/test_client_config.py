"""A script that sets up machines asks for their files."""

import json
import tomllib
from typing import Any

import pytest
import yaml

from registries.topology.models import Location, Registry
from tests.portal.api.office import Office


@pytest.fixture
def office(office: Office) -> Office:
    """prod has a replica in Europe."""
    eu = Location.objects.create(name="eu")
    prod = Registry.objects.get(name="prod")
    Registry.objects.update(reach="enforced")
    Registry.objects.create(
        name="edge-eu", zone=prod.zone, location=eu, primary=prod, is_replication_enabled=True, reach="enforced",
        base_url="https://edge.example", host="edge.example", service="edge",
    )  # fmt: skip
    return office


def body(office: Office, who: str = "alice", **query: Any) -> dict[str, Any]:
    answer = office[who].get("/client-config", **query)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


def test_files_come_by_their_path_and_read_back(office: Office) -> None:
    found = body(office, location="eu")
    host = Registry.objects.get(name="prod").host
    conf = tomllib.loads(found["files"]["registries.conf.d/50-portreeve.conf"])
    mirrors = {row["prefix"]: row.get("mirror", [{}]) for row in conf["registry"]}
    assert mirrors[host][0]["location"] == "edge.example"
    assert {"host": host, "tried": next(row["tried"] for row in found["routes"] if row["host"] == host)} in found[
        "routes"
    ]
    assert next(row["tried"][0] for row in found["routes"] if row["host"] == host) == "edge-eu"
    assert "edge.example" in found["logins"]
    assert set(found["notes"]) == {"docker", "podman", "containerd", "kubernetes"}
    assert any("config_path" in note["code"] for note in found["notes"]["containerd"])


def test_one_client_alone(office: Office) -> None:
    found = body(office, **{"for": "kubernetes", "robot": "robot.shop-web", "namespace": "shop", "secret_name": "pull"})
    assert set(found["files"]) == {"pull-secret.yaml"}
    manifest = yaml.safe_load(found["files"]["pull-secret.yaml"])
    assert manifest["metadata"] == {"name": "pull", "namespace": "shop"}
    auths = json.loads(manifest["stringData"][".dockerconfigjson"])["auths"]
    assert {login["username"] for login in auths.values()} == {"robot.shop-web"}
    assert {login["password"] for login in auths.values()} == {"PUT-THE-SECRET-HERE"}


def test_a_robot_that_asks_is_meant_itself(office: Office) -> None:
    text = body(office, "robot.shop-web", **{"for": "kubernetes"})["files"]["pull-secret.yaml"]
    assert "robot.shop-web" in text
    assert office["robot.shop-web"].secret not in text


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"location": "mars"}, 404, "unknown_location"),
        ({"for": "rkt"}, 400, "invalid"),
        ({"robot": "Robby Tables\n"}, 400, "invalid"),
        ({"robot": "x: y"}, 400, "invalid"),
        ({"namespace": "Shop"}, 400, "invalid"),
        ({"secret_name": "a b"}, 400, "invalid"),
        ({"location": "x" * 300}, 400, "invalid"),
    ],
)
def test_bad_questions(office: Office, query: dict[str, str], status: int, code: str) -> None:
    answer = office["alice"].get("/client-config", **query)
    assert (answer.status, answer.code) == (status, code)


def test_strangers_are_asked_who_they_are(office: Office) -> None:
    assert office.stranger.get("/client-config").status == 401
