"""Set up my client: one location and one client at a time, files to copy and to take away, and never a secret."""

import io
import json
import tomllib
import zipfile

import pytest
import yaml
from django.test import Client

from registries.access.models import RobotAccount
from registries.topology.models import Registry
from tests.portal.web.cast import Company, person, registry
from tests.portal.web.conftest import SignIn

PAGE = "/my/clients/"


def text_of(client: Client, query: str = "") -> str:
    answer = client.get(PAGE + query)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_logins_are_ready_with_ones_own_name(company: Company, signed_in: SignIn) -> None:
    alice = signed_in(company.alice)
    assert "docker login prod.test -u alice" in text_of(alice)
    assert "podman login --tls-verify=false -u alice prod.test" in text_of(alice, "?for=podman")
    assert "login" not in text_of(alice, "?for=kubernetes").split("<h2>Files")[1].split("Download")[0]


def test_a_location_is_kept_in_the_address_from_client_to_client(company: Company, signed_in: SignIn) -> None:
    page = text_of(signed_in(company.alice), "?location=eu&for=podman")
    assert '<option value="eu" selected>' in page
    assert 'href="?location=eu&amp;for=containerd"' in page
    assert "prod-eu (eu)" in page


@pytest.mark.parametrize(
    "query", ["?location=mars", "?for=rkt", "?registry=none", "?robot=shop", "?location=%00&for=%00"]
)
def test_what_there_is_not_counts_as_not_asked(company: Company, signed_in: SignIn, query: str) -> None:
    assert "docker login prod.test -u alice" in text_of(signed_in(company.alice), query)


FILES = [
    ("containerd", "certs.d/prod.test/hosts.toml", "hosts.toml", "application/toml", tomllib.loads),
    ("podman", "registries.conf.d/50-portreeve.conf", "50-portreeve.conf", "application/toml", tomllib.loads),
    ("docker", "daemon.json", "daemon.json", "application/json", json.loads),
    ("kubernetes", "pull-secret.yaml", "pull-secret.yaml", "application/yaml", yaml.safe_load),
]


@pytest.mark.parametrize(("client", "path", "name", "kind", "read"), FILES)
def test_each_file_is_taken_away_under_its_own_name(
    company: Company, signed_in: SignIn, client: str, path: str, name: str, kind: str, read: object
) -> None:
    alice = signed_in(company.alice)
    shown = text_of(alice, f"?location=eu&for={client}")
    assert f"path={path.replace('/', '%2F')}" in shown
    answer = alice.get(f"{PAGE}file/", {"location": "eu", "for": client, "path": path})
    assert (answer.status_code, answer["Content-Type"]) == (200, kind)
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert callable(read)
    assert read(answer.content.decode())


@pytest.mark.parametrize("path", ["", "certs.d", "../settings.py", "/etc/passwd", "certs.d/nowhere/hosts.toml"])
def test_no_other_file_is_given(company: Company, signed_in: SignIn, path: str) -> None:
    answer = signed_in(company.alice).get(f"{PAGE}file/", {"for": "containerd", "path": path})
    assert answer.status_code == 404


def test_all_files_come_in_one_with_their_folders(company: Company, signed_in: SignIn) -> None:
    alice = signed_in(company.alice)
    first, second = (alice.get(f"{PAGE}files.zip", {"location": "eu", "for": "containerd"}) for _ in range(2))
    assert first["Content-Disposition"] == 'attachment; filename="containerd-eu.zip"'
    assert first.content == second.content
    with zipfile.ZipFile(io.BytesIO(first.content)) as archive:
        assert "certs.d/prod.test/hosts.toml" in archive.namelist()


def test_a_pull_secret_is_for_robots_of_ones_teams_and_leaves_the_secret_open(
    company: Company, signed_in: SignIn
) -> None:
    for name, kind, team in (("a-ci", "ci", company.payments), ("shop", "consumer", company.payments)):
        RobotAccount.objects.create(name=name, kind=kind, team=team)
    page = text_of(signed_in(company.alice), "?for=kubernetes")
    assert "robot.shop" in page
    assert "PUT-THE-SECRET-HERE" in page
    assert page.index(">robot.shop<") < page.index(">robot.a-ci<"), "what pulls comes first"
    assert "robot.a-ci&quot;" in text_of(signed_in(company.alice), "?for=kubernetes&robot=a-ci")
    stranger = text_of(signed_in(company.charlie), "?for=kubernetes&robot=shop")
    assert "robot.shop" not in stranger
    assert "robot.NAME" in stranger


def test_what_does_not_stand_in_is_said(company: Company, signed_in: SignIn) -> None:
    Registry.objects.filter(name="prod-eu").update(is_replication_enabled=False)
    page = text_of(signed_in(company.alice), "?location=eu&for=podman")
    assert "prod-eu is left out: its replication is off" in page
    assert "Nothing is closer" in page


def test_without_registries_the_page_teaches_the_first_step(db: None, signed_in: SignIn) -> None:
    first = person("first")
    assert "manage.py topology apply FILE" in text_of(signed_in(first))


def test_without_an_enforced_registry_nobody_is_told_to_log_in(company: Company, signed_in: SignIn) -> None:
    Registry.objects.update(reach="observed")
    page = text_of(signed_in(company.alice))
    assert "docker login" not in page
    assert "manage.py registry_config" in page


def test_my_access_has_the_logins_before_there_is_a_token(company: Company, signed_in: SignIn) -> None:
    for number in range(5):
        registry(f"more-{number}", company.sandbox.zone)
    page = signed_in(company.alice).get("/my/access/").content.decode()
    assert page.index("docker login prod.test -u alice") < page.index("Personal tokens")
    assert "3 more</summary>" in page
    assert page.count("<code>docker login ") == 9


def test_strangers_get_no_file(company: Company) -> None:
    for path in (PAGE, f"{PAGE}file/", f"{PAGE}files.zip"):
        assert Client().get(path).status_code == 302
