"""client_config, as an operator types it, and the rows it reads."""

import io
import stat
import sys
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.utils import timezone

from registries.access.client_files.rows import certificates_of, client_registry, is_same_address
from registries.access.credential.credentials import issue_robot_secret, revoke_secret
from registries.access.models import RobotAccount, Secret
from registries.access.signing.keys import bundle_pem
from registries.topology.models import Location, Registry
from tests.registries.access.cast import ADMIN, make_registry, make_robot, make_team

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("client_config", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def refused(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return caught.value


@pytest.fixture
def prod() -> Registry:
    """In the data centre, with a replica in Europe."""
    dc, eu = (Location.objects.create(name=name) for name in ("dc", "eu"))
    prod = make_registry("prod", url="https://prod.example", location=dc)
    make_registry(
        "prod-eu", "prod", url="https://prod-eu.example", location=eu, primary=prod, is_replication_enabled=True
    )
    return prod


@pytest.fixture
def shop() -> RobotAccount:
    return make_robot("shop", make_team("shop"), "consumer")


def test_it_prints_what_toml_readers_take_as_it_is(prod: Registry) -> None:
    found = tomllib.loads(run("eu", "--for", "podman"))
    assert found["registry"][0]["mirror"] == [{"location": "prod-eu.example"}]
    found = tomllib.loads(run("eu", "--for", "containerd"))
    assert found["server"] == "https://prod.example"


def test_it_says_who_asks_for_a_login_and_what_is_left_out(prod: Registry) -> None:
    Registry.objects.filter(name="prod-eu").update(is_replication_enabled=False)
    text = run("eu")
    assert "ask for a login of the portal: prod.example." in text
    assert "prod-eu is left out: its replication is off" in text


def test_it_writes_the_files_where_programs_look_for_them(prod: Registry, tmp_path: Path) -> None:
    run("eu", "--write", str(tmp_path / "out"))
    written = {path.relative_to(tmp_path / "out").as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {"certs.d/prod.example/hosts.toml", "registries.conf.d/50-portreeve.conf", "pull-secret.yaml"}
    before = (tmp_path / "out/pull-secret.yaml").read_text()
    run("eu", "--write", str(tmp_path / "out"))
    assert (tmp_path / "out/pull-secret.yaml").read_text() == before


def test_a_folder_that_cannot_be_written_is_named(prod: Registry, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written" in str(refused("eu", "--write", str(tmp_path / "file")))


def test_a_secret_comes_from_a_file_and_goes_to_one_that_nobody_else_reads(
    prod: Registry, shop: RobotAccount, tmp_path: Path
) -> None:
    _, text = issue_robot_secret(ADMIN, shop, "cluster", None)
    (tmp_path / "secret").write_text(text + "\n")
    (tmp_path / "pull-secret.yaml").write_text("open to everybody")
    said = run(
        "eu", "--robot", "robot.shop", "--secret-file", str(tmp_path / "secret"), "--write", str(tmp_path),
        "--namespace", "shop", "--secret-name", "pull",
    )  # fmt: skip
    manifest = yaml.safe_load((tmp_path / "pull-secret.yaml").read_text())
    assert manifest["metadata"] == {"name": "pull", "namespace": "shop"}
    assert text in manifest["stringData"][".dockerconfigjson"]
    assert stat.S_IMODE((tmp_path / "pull-secret.yaml").stat().st_mode) == 0o600
    assert text not in said
    assert Secret.objects.get().last_used_at is None, "writing it down is no use of it"


def test_a_secret_comes_from_the_standard_input(
    prod: Registry, shop: RobotAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = issue_robot_secret(ADMIN, shop, "cluster", None)
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert text in run("--for", "kubernetes", "--robot", "shop", "--secret-file", "-")


@pytest.mark.parametrize("fault", ["another's", "revoked", "ended", "no secret", "empty"])
def test_a_secret_that_would_be_refused_is_not_written_down(
    prod: Registry, shop: RobotAccount, tmp_path: Path, fault: str
) -> None:
    owner = make_robot("other", shop.team) if fault == "another's" else shop
    stored, text = issue_robot_secret(ADMIN, owner, "x", None)
    if fault == "revoked":
        revoke_secret(ADMIN, stored)
    if fault == "ended":
        Secret.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    (tmp_path / "secret").write_text({"no secret": "hunter2", "empty": ""}.get(fault, text))
    error = refused("--robot", "shop", "--secret-file", str(tmp_path / "secret"))
    assert error.returncode == 2
    assert "no secret of robot.shop that is good now" in str(error)
    assert text not in str(error)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mars"], "There are: dc, eu."),
        (["--robot", "nobody"], "There are: shop."),
        (["--secret-file", "x"], "give --robot NAME"),
        (["--namespace", "Shop"], "no namespace"),
        (["--secret-name", "a b"], "no name of a secret"),
    ],
)
def test_bad_questions_are_answered_with_what_there_is(
    prod: Registry, shop: RobotAccount, arguments: list[str], said: str
) -> None:
    error = refused(*arguments)
    assert error.returncode == 2
    assert said in str(error)


def test_a_secret_file_that_is_not_there_is_named(prod: Registry, shop: RobotAccount, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    assert f"{missing} cannot be read: No such file" in str(refused("--robot", "shop", "--secret-file", missing))


def test_without_registries_it_says_what_comes_first() -> None:
    error = refused()
    assert error.returncode == 1
    assert "manage.py topology apply FILE" in str(error)
    assert "none yet" in str(refused("eu"))


@pytest.mark.parametrize(
    ("base_url", "host", "is_same"),
    [
        ("http://prod.example:5000", "prod.example:5000", True),
        ("https://prod.example", "prod.example", True),
        ("https://prod.example:443", "prod.example", True),
        ("http://prod.example:80", "PROD.example", True),
        ("http://10.0.0.1:5000", "prod.example", False),
        ("http://prod.example:5000", "prod.example", False),
    ],
)
def test_what_the_portal_knows_of_a_connection_counts_for_the_same_address(
    base_url: str, host: str, is_same: bool
) -> None:
    assert is_same_address(base_url, host) is is_same
    row = make_registry("prod", url=base_url, verify_tls=False)
    row.host = host
    found = client_registry(row)
    assert found.is_plain is (is_same and base_url.startswith("http:"))
    assert found.is_verified is not is_same


def test_nothing_but_certificates_comes_out_of_a_bundle(tmp_path: Path) -> None:
    prod = make_registry("prod", url="https://prod.example", ca_bundle=str(tmp_path / "bundle.pem"))
    certificate = bundle_pem(prod)
    (tmp_path / "bundle.pem").write_text(f"password = hunter2\n{certificate}\nroot:x:0:0\n")
    assert client_registry(prod).certificates.strip() == certificate.strip()
    for text in ("root:x:0:0", "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        (tmp_path / "bundle.pem").write_text(text)
        found = client_registry(prod)
        assert (found.certificates, found.lacks_certificates) == ("", True)
    assert certificates_of(str(tmp_path)) == certificates_of(str(tmp_path / "missing")) == ""
