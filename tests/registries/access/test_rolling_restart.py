"""An upgrade while people and jobs log in: a migration under load, then one worker after the other with the new code. No login is lost."""

import http.client
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from portal.demo.ports import LOOPBACK, Ports
from portal.demo.processes import Processes, Running, http_answers
from portal.demo.programs import run
from tests.portal.serving import children, until

CLIENTS = 4


@dataclass
class Load:
    """Clients that log in one after the other, each over a connection of its own, as docker does."""

    port: int
    requests: list[tuple[str, dict[str, str]]]
    done: int = 0
    lost: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, first: int) -> None:
        turn = first
        while not self._stop.is_set():
            self.ask(*self.requests[turn % len(self.requests)])
            turn += CLIENTS

    def ask(self, path: str, headers: dict[str, str]) -> None:
        line = http.client.HTTPConnection(LOOPBACK, self.port, timeout=30)
        try:
            line.request("GET", path, headers=headers)
            answer = line.getresponse()
            body = answer.read()
            if answer.status != 200 or not json.loads(body)["token"]:
                self.lost.append(f"{answer.status}: {body[:200]!r}")
            self.done += 1
        except (OSError, http.client.HTTPException) as error:
            self.lost.append(f"{type(error).__name__}: {error}")
        finally:
            line.close()

    def __enter__(self) -> "Load":
        self._threads = [threading.Thread(target=self.run, args=(first,)) for first in range(CLIENTS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def go_on(self, logins: int = 100) -> None:
        """Until so many more are through."""
        wanted = self.done + logins
        assert until(lambda: self.done >= wanted or self.lost, seconds=60), f"{self.done} of {wanted}"


@pytest.fixture
def environment(tmp_path: Path, postgres_url: str) -> Iterator[dict[str, str]]:
    """Of a portal with a database of its own, with robots and rules in it."""
    with psycopg.connect(postgres_url.replace("postgres://", "postgresql://"), autocommit=True) as server:
        server.execute("CREATE DATABASE rolling")
    env = {**os.environ, "DATABASE_URL": postgres_url.rpartition("/")[0] + "/rolling", "PORTAL_HOME": str(tmp_path)}
    manage(env, "migrate", "--verbosity=0")
    rows = [sys.executable, "-m", "tests.bench.token_rows", str(tmp_path), "300", "200"]
    run(rows, env=env, timeout_seconds=120).or_fail("rows")
    yield env
    with psycopg.connect(postgres_url.replace("postgres://", "postgresql://"), autocommit=True) as server:
        server.execute("DROP DATABASE rolling WITH (FORCE)")


def manage(env: dict[str, str], *arguments: str) -> None:
    run([sys.executable, "manage.py", *arguments], env=env, timeout_seconds=120).or_fail(arguments[0])


def requests_in(folder: Path) -> list[tuple[str, dict[str, str]]]:
    found = []
    for text in (folder / "ES256").read_text().splitlines()[:500]:
        first, *lines = json.loads(text).split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines if line)
        found.append((first.split(" ")[1], {"Authorization": headers["Authorization"]}))
    return found


@pytest.mark.parametrize("face", ["portal.token_wsgi", "portal.wsgi"])
@pytest.mark.timeout(240)
def test_an_upgrade_under_load_loses_no_login(
    environment: dict[str, str], tmp_path: Path, ports: Ports, processes: Processes, face: str
) -> None:
    port = ports.take()
    command = [sys.executable, "-m", "gunicorn", face, f"--bind={LOOPBACK}:{port}", "--workers=2", "--threads=2"]
    running = processes.start("tokens", [*command, "--no-control-socket"], env=environment, grace_seconds=10)
    processes.wait_for(running, lambda: http_answers(LOOPBACK, port, "/readyz"), deadline_seconds=60)
    with Load(port, requests_in(tmp_path)) as load:
        load.go_on()
        upgraded = environment | {"DJANGO_SETTINGS_MODULE": "tests.fakes.next_version.settings"}
        manage(upgraded, "migrate", "--verbosity=0")
        load.go_on()
        restart_workers(running)
        load.go_on()
        processes.check()
    assert load.lost == []


def restart_workers(running: Running) -> None:
    """As the handbook says: SIGHUP brings new workers up, then lets the old ones finish what they are at."""
    before = set(children(running.pid))
    os.kill(running.pid, signal.SIGHUP)
    assert until(lambda: len(children(running.pid)) == 2 and not before & set(children(running.pid)), seconds=60)


@pytest.mark.parametrize("face", ["portal.token_wsgi", "portal.wsgi"])
@pytest.mark.timeout(240)
def test_a_database_that_ends_all_connections_costs_no_login(
    environment: dict[str, str], tmp_path: Path, ports: Ports, processes: Processes, face: str
) -> None:
    """As a failover or a restart of the database does: connections that stood open are made anew."""
    port = ports.take()
    command = [sys.executable, "-m", "gunicorn", face, f"--bind={LOOPBACK}:{port}", "--threads=2"]
    running = processes.start("tokens", [*command, "--no-control-socket"], env=environment, grace_seconds=10)
    processes.wait_for(running, lambda: http_answers(LOOPBACK, port, "/readyz"), deadline_seconds=60)
    asked = requests_in(tmp_path)
    ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'rolling' AND pid <> pg_backend_pid()"
    url = environment["DATABASE_URL"].replace("postgres://", "postgresql://")
    load = Load(port, asked)
    with psycopg.connect(url, autocommit=True) as server:
        for turn in range(10):
            load.ask(*asked[turn])
            load.ask(*asked[turn + 20])
            row = server.execute(ended).fetchone()
            assert row is not None
            assert row[0] >= 1
            time.sleep(0.05)
    load.ask(*asked[40])
    assert load.lost == []
    assert load.done == 21
