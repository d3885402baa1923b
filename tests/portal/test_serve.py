"""``manage.py serve`` as people run it: one command, pages and jobs, and nothing left when it ends."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from portal.demo.ports import Ports
from tests.portal.command_line import CHECKOUT, SECRETS, environment, manage, manage_in
from tests.portal.serving import children, get, is_alive, kill, until

Start = Callable[..., subprocess.Popen[str]]
# Asks the database of the portal for a job of a kind that can be run without any registry: its registry is not there.
ADD_JOB = """
from portal.actor import system
from portal.jobs.queue import job_fields
from registries.catalog.models import SyncJob
from registries.topology.models import Registry, Zone
zone, _ = Zone.objects.get_or_create(name="sandbox", kind="sandbox")
address = {"base_url": "http://127.0.0.1:1", "host": "127.0.0.1:1", "service": "sandbox"}
registry, _ = Registry.objects.get_or_create(name="sandbox", zone=zone, is_sync_enabled=False, **address)
SyncJob.objects.filter(state__in=["queued", "running"]).delete()
SyncJob.objects.create(registry=registry, **job_fields(system("tester")))
"""


@pytest.fixture
def start(tmp_path: Path, ports: Ports) -> Iterator[Start]:
    """Starts one; whatever a test leaves of it is gone afterwards."""
    running: list[subprocess.Popen[str]] = []
    output = (tmp_path / "serve.log").open("w")

    def start_one(command: list[str], variables: dict[str, str]) -> subprocess.Popen[str]:
        running.append(
            subprocess.Popen(
                command, env=variables, stdout=output, stderr=output, cwd=CHECKOUT, start_new_session=True, text=True
            )
        )
        return running[-1]

    yield start_one
    for process in running:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
    output.close()


def serve(start: Start, home: Path, port: int, **more: str) -> subprocess.Popen[str]:
    variables = environment(home, **(SECRETS | {"PORTAL_BASE_URL": f"http://127.0.0.1:{port}"} | more))
    process = start([sys.executable, str(CHECKOUT / "manage.py"), "serve"], variables)
    assert until(lambda: process.poll() is not None or get(port, "/healthz")[0] == 200)
    assert process.poll() is None, (home / "serve.log").read_text()
    return process


def job_states(home: Path) -> list[tuple[str, int]]:
    database = sqlite3.connect(home / "portal.sqlite3", timeout=30)
    try:
        return database.execute("SELECT state, attempt FROM catalog_syncjob ORDER BY id").fetchall()
    finally:
        database.close()


def log(home: Path) -> str:
    return (home / "serve.log").read_text()


def test_pages_answer_a_job_runs_and_sigterm_leaves_nothing(start: Start, home: Path, ports: Ports) -> None:
    port = ports.take()
    process = serve(start, home, port)
    assert get(port, "/readyz")[0] == 200
    assert get(port, "/accounts/login/")[0] == 200
    assert get(port, "/admin/")[0] == 302
    added = manage(home, "shell", "-c", ADD_JOB, **SECRETS)
    assert added.returncode == 0, added.stderr
    assert until(lambda: job_states(home) and job_states(home)[0][1] > 0), log(home)

    whole_family = [process.pid, *children(process.pid)]
    assert len(whole_family) > 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0
    assert until(lambda: not any(is_alive(pid) for pid in whole_family), 5)
    assert get(port, "/healthz")[0] == 0
    assert "Traceback" not in log(home)


def test_clients_that_never_finish_their_request_do_not_keep_the_threads(
    start: Start, home: Path, ports: Ports
) -> None:
    port = ports.take()
    serve(start, home, port, PORTAL_THREADS="2")
    begun = b"POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n"
    strangers = [socket.create_connection(("127.0.0.1", port)) for _ in range(4)]
    for number, stranger in enumerate(strangers):
        stranger.sendall(begun + (b"\r\ngrant" if number % 2 else b""))
    assert until(lambda: get(port, "/healthz")[0] == 200), log(home)
    for stranger in strangers:
        stranger.close()


def test_a_worker_that_is_killed_comes_back_with_its_jobs(start: Start, home: Path, ports: Ports) -> None:
    port = ports.take()
    process = serve(start, home, port)
    (worker,) = children(process.pid)
    kill(worker)
    assert until(lambda: not is_alive(worker), 10)
    assert until(lambda: get(port, "/readyz")[0] == 200), log(home)
    assert children(process.pid) != [worker]
    assert manage(home, "shell", "-c", ADD_JOB, **SECRETS).returncode == 0
    assert until(lambda: job_states(home) and job_states(home)[0][1] > 0), log(home)


def test_a_port_in_use_is_told_and_ends_it(home: Path, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        variables = environment(home, **(SECRETS | {"PORTAL_BASE_URL": f"http://127.0.0.1:{port}"}))
        process = start([sys.executable, str(CHECKOUT / "manage.py"), "serve"], variables)
        assert process.wait(40) != 0
    assert "in use" in log(home)


def test_a_database_that_is_not_up_to_date_is_told(tmp_path: Path) -> None:
    ended = manage(tmp_path, "serve", **SECRETS)
    assert ended.returncode == 1
    assert "Run manage.py setup first." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_on_postgresql_the_worker_has_connections_of_its_own(
    start: Start, tmp_path: Path, ports: Ports, postgres_url: str
) -> None:
    with psycopg.connect(postgres_url.replace("postgres://", "postgresql://"), autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS serve_test")
        server.execute("CREATE DATABASE serve_test")
    url = postgres_url.rpartition("/")[0] + "/serve_test"
    told = SECRETS | {"DATABASE_URL": url}
    assert manage_in(environment(tmp_path, **told), "setup", "--no-admin").returncode == 0
    port = ports.take()
    process = serve(start, tmp_path, port, **told)
    assert [get(port, "/readyz")[0] for _ in range(20)] == [200] * 20
    assert manage_in(environment(tmp_path, **told), "shell", "-c", ADD_JOB).returncode == 0

    def attempts() -> int:
        with psycopg.connect(url.replace("postgres://", "postgresql://")) as database:
            row = database.execute("SELECT attempt FROM catalog_syncjob").fetchone()
        return int(row[0]) if row else 0

    assert until(attempts), log(tmp_path)
    with psycopg.connect(postgres_url.replace("postgres://", "postgresql://"), autocommit=True) as server:
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'serve_test'")
    assert until(lambda: get(port, "/readyz")[0] == 200, 12), "It does not recover from a restart of its database."
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0


def test_the_token_face_stands_alone(start: Start, home: Path, ports: Ports) -> None:
    port = ports.take()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "portal.token_wsgi",
        "--bind",
        f"127.0.0.1:{port}",
        "--no-control-socket",
    ]
    process = start(command, environment(home, **SECRETS))
    assert until(lambda: process.poll() is not None or get(port, "/healthz")[0] == 200)
    assert process.poll() is None, log(home)
    assert get(port, "/readyz")[0] == 200
    for path in ("/admin/", "/accounts/login/", "/api/v1/", "/"):
        assert get(port, path)[0] == 404
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0
