"""The exchange of a key at real registries of each make, with a client that stays logged in all the time."""

import io
import json
import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from portal.demo.docker import Docker
from portal.demo.ports import Ports
from portal.demo.processes import Processes
from portal.demo.registries import PROGRAM, RegistryServer
from portal.demo.skopeo import Skopeo, pulled_digest
from portal.http.problem import Problem
from registries.access.counts.record_models import Denial
from registries.access.models import SigningKey
from registries.access.signing.key_probe import token_of
from registries.access.signing.keys import active_key, signing_key
from registries.access.signing.rotation import keys_of, probe_key, publish_next_key, retire_key, revoke_key, switch_key
from registries.access.signing.rotation_steps import evaluate_rotation
from registries.access.tokens import claims_of
from registries.adapters import Endpoint, show_token
from registries.adapters.base import open_client
from registries.oci.auth import OneToken
from registries.oci.digest import Digest
from registries.oci.scope import Scope
from registries.topology.models import Registry
from tests.real.makes import find_make, why_absent
from tests.real.registries import RegistryStarter
from tests.registries.access.cast import ADMIN, Login, make_person, make_registry, person_login
from tests.registries.access.live import World, make_world

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not (shutil.which("docker") and shutil.which("skopeo")), reason="docker and skopeo"),
]
Probe = SigningKey.Probe
MAKES = ("2.8", "3", "zot")


class Harbour:
    """One real registry of a make, and alice, who logs in to it once."""

    def __init__(self, world: World, make: str, name: str = "sandbox", port: int = 0, **fields: object) -> None:
        """With a row of its own, or where there is one, at the ``port`` it names."""
        self.world, self.make, self.name = world, make, name
        self.port = port or world.start.take_port()
        if not port:
            values: dict[str, Any] = {"product": "zot" if make == "zot" else "distribution", **fields}
            make_registry(name, url=f"http://127.0.0.1:{self.port}", **values)
        self.server = self._start()
        self.docker = Docker(world.folder / f"alice-{name}")

    @property
    def row(self) -> Registry:
        return self.world.row(self.name)

    @property
    def where(self) -> str:
        return f"{self.server.host}/alice/app:1"

    def _start(self) -> RegistryServer:
        if self.make == "zot":
            config = self.world.printed(self.name, product="zot")
            return self.world.start.start_zot(find_make("zot"), self.name, config, self.port)
        program = find_make("distribution3") if self.make == "3" else PROGRAM
        return self.world.start(
            self.name, config=self.world.printed(self.name, self.make), port=self.port, program=program
        )

    def restart(self) -> None:
        """As an operator does: the file that the portal prints now, and the server again."""
        self.world.start.stop(self.server)
        self.server = self._start()

    def restart_as_it_was(self) -> None:
        self.world.start.stop(self.server)
        self.server = self.world.start.restart(self.server)

    def login(self, alice: Login) -> None:
        self.docker.login(self.server.host, alice.username, alice.secret).or_fail("docker login")

    def works(self) -> bool:
        """A pull with the login that was made once, as a client that knows nothing of keys."""
        folder = self.world.folder / "pulled"
        shutil.rmtree(folder, ignore_errors=True)
        return Skopeo(self.docker.authfile).pull(self.where, folder).code == 0

    def takes(self, token: str) -> bool:
        return show_token(Endpoint(self.server.url), token).taken == "accepted"


@pytest.fixture
def world(
    settings: Settings, tmp_path: Path, ports: Ports, processes: Processes, start_registry: RegistryStarter
) -> World:
    return make_world(settings, tmp_path, ports, processes, start_registry)


@pytest.fixture
def alice() -> Login:
    return person_login(make_person("alice"))


def need(make: str) -> None:
    reason = why_absent({"3": "distribution3", "zot": "zot"}[make]) if make != "2.8" else ""
    if reason:
        pytest.skip(reason)


def opened(world: World, make: str, alice: Login, **fields: object) -> Harbour:
    """Running, with alice logged in and her image pushed."""
    need(make)
    harbour = Harbour(world, make, **fields)  # type: ignore[arg-type]
    harbour.login(alice)
    Skopeo(harbour.docker.authfile).push(world.image(), harbour.where).or_fail("push")
    return harbour


def layer_of(harbour: Harbour) -> Digest:
    """One that alice has pushed."""
    skopeo, repository = Skopeo(harbour.docker.authfile), harbour.where.rpartition(":")[0]
    child = json.loads(skopeo.raw_manifest(harbour.where).or_fail("inspect").text)["manifests"][0]["digest"]
    image = json.loads(skopeo.raw_manifest(f"{repository}@{child}").or_fail("inspect").text)
    return Digest.parse(image["layers"][0]["digest"])


def signer(registry: Registry) -> SigningKey:
    key = active_key(registry)
    assert key is not None
    return key


def minutes_pass(registry: Registry, minutes: int) -> None:
    """The last token of the old key has ended."""
    then = timezone.now() - timedelta(minutes=minutes)
    SigningKey.objects.filter(registry=registry, state=SigningKey.State.REPLACED).update(replaced_at=then)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("make", "old", "new"),
    [("2.8", "ES256", "ES256"), ("2.8", "RS256", "ES256"), ("3", "ES256", "ES256"), ("3", "ES256", "RS256")],
)
def test_a_whole_exchange_while_alice_stays_logged_in(
    world: World, alice: Login, make: str, old: str, new: str
) -> None:
    harbour = opened(world, make, alice, token_algorithm=old)
    first = signer(harbour.row)
    second = publish_next_key(ADMIN, harbour.row, new)
    assert harbour.works()

    harbour.restart_as_it_was()  # without the new file being read
    assert probe_key(ADMIN, harbour.row, second).outcome == Probe.REFUSED
    assert harbour.works()
    harbour.restart()
    assert probe_key(ADMIN, harbour.row, second).outcome == Probe.TRUSTED
    assert harbour.works()

    by_the_old_key = token_of(harbour.row, first.kid)
    switch_key(ADMIN, harbour.row)
    assert harbour.works()
    assert harbour.takes(by_the_old_key)

    minutes_pass(harbour.row, 11)
    assert probe_key(ADMIN, harbour.row, signer(harbour.row)).outcome == Probe.TRUSTED
    retire_key(ADMIN, harbour.row, first)
    assert harbour.works()
    assert harbour.takes(by_the_old_key)  # until the registry reads the file
    harbour.restart()
    assert not harbour.takes(by_the_old_key)
    first.refresh_from_db()
    assert probe_key(ADMIN, harbour.row, first).outcome == Probe.REFUSED
    assert harbour.works()
    assert (signer(harbour.row).algorithm, harbour.row.token_algorithm) == (new, new)
    assert evaluate_rotation(keys_of(harbour.row), timezone.now()).now == ""


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("old", "new"), [("ES256", "ES256"), ("ES256", "RS256")])
def test_zot_changes_its_one_key_at_once(world: World, alice: Login, old: str, new: str) -> None:
    harbour = opened(world, "zot", alice, token_algorithm=old)
    first = signer(harbour.row)
    by_the_old_key = token_of(harbour.row, first.kid)
    second = publish_next_key(ADMIN, harbour.row, new)
    assert harbour.works()
    assert probe_key(ADMIN, harbour.row, second).outcome == Probe.REFUSED
    harbour.restart()
    assert not harbour.works()  # between its restart and the switch
    switch_key(ADMIN, harbour.row)
    assert harbour.works()
    assert not harbour.takes(by_the_old_key)
    assert probe_key(ADMIN, harbour.row, signer(harbour.row)).outcome == Probe.TRUSTED
    retire_key(ADMIN, harbour.row, first)
    harbour.restart()
    assert harbour.works()


def test_a_zot_that_is_registered_as_any_registry_is_probed_before_the_switch(world: World, alice: Login) -> None:
    harbour = opened(world, "zot", alice, product="generic")
    second = publish_next_key(ADMIN, harbour.row)
    assert probe_key(ADMIN, harbour.row, second).outcome == Probe.REFUSED
    with pytest.raises(Problem, match="failed"):
        switch_key(ADMIN, harbour.row)
    harbour.restart()
    assert probe_key(ADMIN, harbour.row, second).outcome == Probe.TRUSTED
    switch_key(ADMIN, harbour.row)
    assert harbour.works()


def test_zot_as_configured_mounts_nothing_that_the_token_does_not_cover(world: World, alice: Login) -> None:
    """It does not look at the source of a mount, so there must be nothing that it could find by digest alone."""
    harbour = opened(world, "zot", alice)
    digest = layer_of(harbour)
    kid = signer(harbour.row).kid
    algorithm, key = signing_key(kid)
    scope = Scope.repository("charlie/own", "pull", "push")
    said = claims_of("charlie", harbour.row.service, [scope], timezone.now())
    token = jwt.encode(said, key, algorithm, headers={"kid": kid})
    with closing(open_client(Endpoint(harbour.server.url, OneToken(token)))) as charlie:
        assert not charlie.mount_blob("charlie/own", digest, "alice/app")
        assert charlie.head_blob("charlie/own", digest) is None


@pytest.mark.parametrize("make", MAKES)
def test_a_revoked_key_is_refused_after_the_restart(world: World, alice: Login, make: str) -> None:
    harbour = opened(world, make, alice)
    stolen = signer(harbour.row)
    forged = token_of(harbour.row, stolen.kid)
    revoke_key(ADMIN, harbour.row, stolen, "found in a log")
    assert harbour.takes(forged)
    assert not harbour.works()  # the new key is not known there yet
    harbour.restart()
    assert not harbour.takes(forged)
    assert harbour.works()


@pytest.mark.parametrize("make", MAKES)
def test_the_printed_configuration_keeps_out_what_the_portal_refuses(world: World, alice: Login, make: str) -> None:
    """The whole way: log in, push, pull the same digest, be refused, with the file as it is printed."""
    sandbox, prod = opened(world, make, alice), Harbour(world, make, "prod")
    assert sandbox.works()
    assert pulled_digest(world.folder / "pulled") == world.image().digest
    prod.login(alice)
    refused = Skopeo(prod.docker.authfile).push(world.image(), prod.where)
    assert refused.code != 0
    assert Denial.objects.filter(registry=prod.row, code="pipeline_only").exists()
    assert prod.docker.login(prod.server.host, alice.username, "not my token").code != 0
    assert Skopeo().pull(sandbox.where, world.folder / "stranger").code != 0


@pytest.mark.timeout(240)
@pytest.mark.parametrize("make", ["2.8", "3"])
def test_six_keys_of_both_algorithms_are_trusted_side_by_side(world: World, alice: Login, make: str) -> None:
    harbour = opened(world, make, alice)
    for number in range(5):
        key = publish_next_key(ADMIN, harbour.row, ("RS256", "ES256")[number % 2])
        harbour.restart()
        assert probe_key(ADMIN, harbour.row, key).outcome == Probe.TRUSTED
        if number < 4:
            switch_key(ADMIN, harbour.row)
    keys = list(SigningKey.objects.filter(registry=harbour.row))
    assert sorted(key.state for key in keys) == ["active", "published", *["replaced"] * 4]
    assert all(harbour.takes(token_of(harbour.row, key.kid)) for key in keys)
    assert harbour.works()


def test_the_command_line_leads_through_an_exchange(world: World, alice: Login) -> None:
    harbour = opened(world, "2.8", alice)

    def step(*words: str) -> tuple[int, str]:
        out = io.StringIO()
        try:
            call_command("signing_keys", "sandbox", *words, stdout=out, stderr=io.StringIO())
        except SystemExit as ended:
            return int(ended.code or 0), out.getvalue()
        return 0, out.getvalue()

    assert step("publish")[0] == 0
    code, text = step("probe")
    assert (code, "not yet this one" in text) == (1, True)
    harbour.restart()
    assert step("probe")[0] == 0
    assert step("switch")[0] == 0
    assert harbour.works()
    assert "stays trusted until its last token has ended" in step()[1]
