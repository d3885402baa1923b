"""A real registry with htpasswd, real clients with stored passwords: under the portal while they go on, watched, and back again."""

import base64
import io
import json
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from portal.demo.content import Layout
from portal.demo.docker import Docker
from portal.demo.ports import LOOPBACK, Ports
from portal.demo.processes import Processes
from portal.demo.registries import RegistryServer
from portal.demo.skopeo import Skopeo
from registries.access.adopt.models import Adoption, ImportedLogin
from registries.access.adopt.watch import logins_of, state_of, watch
from registries.access.counts.record_models import Denial
from registries.access.models import RobotAccount, Secret
from registries.access.signing.keys import bundle_pem
from registries.topology.models import Reach
from tests.real.registries import RegistryStarter
from tests.registries.access.adopt.old_users import hashed, make_old_registry
from tests.registries.access.cast import make_team, robot_login
from tests.registries.access.live import World, make_world

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo"),
]
USERS = {"payments-ci": "old-secret-1", "Shop.Reader": "old-secret-2", "ghost": "old-secret-3"}


@dataclass
class Client:
    """A job with a password stored in its settings. It never logs in anew."""

    server: RegistryServer
    folder: Path
    username: str
    skopeo: Skopeo = field(init=False)

    def __post_init__(self) -> None:
        """Logged in once, years ago, with the docker command line where there is one."""
        if not shutil.which("docker"):
            self.store(self.username, USERS[self.username])
            return
        docker = Docker(self.folder / f"docker-of-{self.username}")
        docker.config_folder.mkdir()
        docker.login(self.server.host, self.username, USERS[self.username]).or_fail("docker login")
        self.skopeo = Skopeo(docker.authfile)

    def store(self, username: str, secret: str) -> None:
        """As somebody changes the settings of a job by hand."""
        login = base64.b64encode(f"{username}:{secret}".encode()).decode()
        authfile = self.folder / f"{self.username}.json"
        authfile.write_text(json.dumps({"auths": {self.server.host: {"auth": login}}}))
        self.skopeo = Skopeo(authfile)

    def push(self, image: Layout, name: str) -> str:
        """Empty when it worked, else what the client said."""
        ended = self.skopeo.push(image, f"{self.server.host}/{name}")
        return "" if ended.code == 0 else ended.stderr

    def pull(self, name: str) -> str:
        target = self.folder / f"pulled-{time.monotonic_ns()}"
        ended = self.skopeo.pull(f"{self.server.host}/{name}", target)
        return "" if ended.code == 0 else ended.stderr


@dataclass
class Harbour:
    """The registry, its two configurations, and the job that pushes and pulls all the time."""

    world: World
    server: RegistryServer
    old_config: str

    @property
    def config_file(self) -> Path:
        return self.server.folder / "config.yml"

    @property
    def log(self) -> Path:
        return self.server.running.log

    def restart_with(self, config: str) -> None:
        self.config_file.write_text(config)
        self.world.start.stop(self.server)
        self.server = self.world.start.restart(self.server)

    def new_config(self) -> str:
        """What the command prints, with the place of the content as it was: that is the operator's part."""
        printed = self.world.printed("ci-snapshots")
        old = yaml.safe_load(self.old_config)
        printed["storage"], printed["http"] = {**_part(printed, "storage"), **old["storage"]}, old["http"]
        return yaml.safe_dump(printed)


def _part(config: dict[str, object], name: str) -> dict[str, object]:
    found = config[name]
    assert isinstance(found, dict)
    return found


@pytest.fixture
def harbour(
    settings: Settings, tmp_path: Path, ports: Ports, processes: Processes, start_registry: RegistryStarter
) -> Harbour:
    world = make_world(settings, tmp_path, ports, processes, start_registry)
    htpasswd = tmp_path / "htpasswd"
    htpasswd.write_text("# who may push\n" + "".join(f"{name}:{hashed(secret)}\n" for name, secret in USERS.items()))
    port = start_registry.take_port()
    host = f"{LOOPBACK}:{port}"
    make_old_registry("ci-snapshots", base_url=f"http://{host}", host=host, service=host)
    server = start_registry(
        "ci-snapshots",
        port=port,
        config={
            "version": 0.1,
            "log": {"level": "debug", "accesslog": {"disabled": False}},
            "auth": {"htpasswd": {"realm": "basic", "path": str(htpasswd)}},
        },
    )
    return Harbour(world, server, (server.folder / "config.yml").read_text())


def adopt(*words: str) -> tuple[int, str]:
    """Exit status and output of the command."""
    out = io.StringIO()
    try:
        call_command("adopt_registry", "ci-snapshots", *words, stdout=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    except SystemExit as error:
        return int(str(error.code)), out.getvalue()
    return 0, out.getvalue()


@dataclass
class Loop:
    """Pushes and pulls until it is stopped; each try with its time and what the client said."""

    client: Client
    image: Layout
    tries: list[tuple[float, float, str]] = field(default_factory=list)

    def __enter__(self) -> "Loop":
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            for is_push in (True, False):
                began = time.monotonic()
                said = self.client.push(self.image, "payments/api:1") if is_push else self.client.pull("payments/api:1")
                self.tries.append((began, time.monotonic(), said))

    def failures(self, *, outside: list[tuple[float, float]]) -> list[str]:
        """Of tries that did not overlap with any of these times."""
        return [
            said for began, ended, said in self.tries
            if said and not any(began < stop and ended > start for start, stop in outside)
        ]  # fmt: skip


def test_a_registry_in_use_is_brought_in_without_an_outage_and_goes_back(harbour: Harbour, tmp_path: Path) -> None:
    jobs = {name: Client(harbour.server, tmp_path, name) for name in USERS}
    ci, reader, ghost = jobs["payments-ci"], jobs["Shop.Reader"], jobs["ghost"]
    image = harbour.world.image()
    assert ci.push(image, "payments/api:1") == ""
    assert ci.push(image, "payments/web:1") == ""  # blobs are mounted from payments/api
    assert reader.pull("payments/api:1") == ghost.pull("payments/api:1") == ""
    assert reader.push(image, "shop/own:1") == ""  # nobody has forbidden it so far

    # 1. The users. One is left out: somebody believes that nobody uses it.
    htpasswd = str(tmp_path / "htpasswd")
    make_team("payments")
    assert adopt("import-users", htpasswd, "--team", "payments", "--kind", "ci", "--only", "payments-*")[0] == 0
    assert adopt("import-users", htpasswd, "--team", "payments", "--only", "Shop.*")[0] == 0

    # 2. and 3. Its real log, and who would be refused.
    code, said = adopt("read-log", str(harbour.log))
    assert (code, "were not understood" in said) == (0, False), said
    code, said = adopt("report")
    assert code == 1
    assert "refused: ghost pull payments/api" in said
    assert "no login of it was imported" in said
    assert "refused: Shop.Reader (robot.shop.reader) push shop/own" in said
    assert "takes images only from CI" in said
    assert "payments-ci" not in said.split("Of ")[0]

    # 4. and 5. While a job pushes and pulls with its old password, the configurations are exchanged.
    code, said = adopt("cut-over")
    assert (code, "still asks for basic credentials itself" in said) == (1, True), said
    assert harbour.world.row("ci-snapshots").reach == Reach.OBSERVED
    new_config = harbour.new_config()
    with Loop(ci, image) as loop:
        time.sleep(1.5)
        stopped = time.monotonic()
        harbour.restart_with(new_config)
        started = time.monotonic()
        assert adopt("cut-over")[0] == 0
        time.sleep(3)
    during = [(stopped, started)]
    assert loop.failures(outside=during) == []
    assert sum(began > started for began, _, _ in loop.tries) >= 4
    assert harbour.world.row("ci-snapshots").reach == Reach.ENFORCED

    # What the report foretold.
    assert "unauthorized" in ghost.pull("payments/api:1") or "invalid username/password" in ghost.pull("payments/api:1")
    assert reader.pull("payments/api:1") == ""
    assert reader.push(image, "shop/own:2") != ""
    refused = Denial.objects.get(principal="robot.shop.reader", code="ci_only")
    assert refused.reason == "ci-snapshots takes images only from CI"

    # 6. Watch: an old password in use; then a secret of the robot's own takes its place.
    adoption = Adoption.objects.get()
    wait_for(lambda: ImportedLogin.objects.get(username="payments-ci").last_used_at is not None, ci)
    assert states(adoption)["payments-ci"] == "in use"
    robot = RobotAccount.objects.get(name="payments-ci")
    fresh = robot_login(robot)
    ci.store(fresh.username, fresh.secret)
    time.sleep(1.1)  # last uses are kept to the second
    assert ci.push(image, "payments/api:2") == ""
    wait_for(lambda: Secret.objects.get().last_used_at is not None, ci)
    assert states(adoption)["payments-ci"] == "replaced"

    # 7. Back: the old configuration, the old passwords, the same people as before.
    ci.store("payments-ci", USERS["payments-ci"])
    harbour.restart_with(harbour.old_config)
    code, said = adopt("back")
    assert (code, "observed again" in said) == (0, True), said
    assert ci.push(image, "payments/api:3") == ghost.pull("payments/api:1") == ""
    assert reader.push(image, "shop/own:2") == ""
    assert harbour.world.row("ci-snapshots").reach == Reach.OBSERVED
    assert ImportedLogin.objects.count() == 2


@pytest.mark.docker_engine
def test_an_engine_that_logged_in_before_pushes_and_pulls_on(harbour: Harbour, docker: Docker, tmp_path: Path) -> None:
    host, image = harbour.server.host, harbour.world.image()
    docker.login(host, "payments-ci", USERS["payments-ci"]).or_fail("docker login")
    docker.push_layout(image, f"{host}/payments/api", "1", tmp_path / "a").or_fail("docker push")
    make_team("payments")
    assert adopt("import-users", str(tmp_path / "htpasswd"), "--team", "payments", "--kind", "ci")[0] == 0
    assert adopt("read-log", str(harbour.log))[0] == 0
    assert adopt("report") == (0, adopt("report")[1])
    harbour.restart_with(harbour.new_config())
    assert adopt("cut-over")[0] == 0
    docker.pull(f"{host}/payments/api:1").or_fail("docker pull with what was stored")
    docker.push_layout(image, f"{host}/payments/web", "1", tmp_path / "b").or_fail("docker push with what was stored")
    docker.login(host, "payments-ci", USERS["payments-ci"]).or_fail("docker login anew")
    assert docker.login(host, "payments-ci", "guess").code != 0
    harbour.restart_with(harbour.old_config)
    assert adopt("back")[0] == 0
    docker.push_layout(image, f"{host}/payments/web", "2", tmp_path / "c").or_fail("docker push as ever")


def test_the_cut_over_is_refused_while_the_registry_trusts_other_keys(harbour: Harbour) -> None:
    """It sends clients to us, and takes nothing that we sign: whoever went on would have shut everybody out."""
    config = yaml.safe_load(harbour.new_config())
    bundle = Path(config["auth"]["token"]["rootcertbundle"])
    foreign = make_old_registry("ci-tests")
    bundle.write_text(bundle_pem(foreign))
    harbour.restart_with(yaml.safe_dump(config))
    code, said = adopt("probe")
    assert code == 1
    assert "does not take a token the portal has signed" in said
    assert adopt("cut-over")[0] == 1
    config["auth"]["token"]["service"] = "another"
    harbour.restart_with(yaml.safe_dump(config))
    assert "service 'another'" in adopt("probe")[1]
    harbour.world.start.stop(harbour.server)
    assert adopt("probe")[0] == 1


def wait_for(has_come: Callable[[], bool], client: Client) -> None:
    """The token endpoint writes what it has counted every few seconds, when somebody asks it."""
    deadline = time.monotonic() + 60
    while not has_come():
        assert time.monotonic() < deadline
        assert client.pull("payments/api:1") == ""
        time.sleep(1)


def states(adoption: Adoption) -> dict[str, str]:
    since = adoption.cut_over_at or timezone.now()
    assert watch(adoption, timezone.now()).counts
    return {row.username: state_of(row, since, timezone.now()) for row in logins_of(adoption)}
