"""A portal that gives tokens, in a process of its own, on the rows of this test; and what comes back for any bytes whatever."""

import base64
import http.client
import json
import os
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from django.db import connection

from portal.demo.ports import LOOPBACK, Ports
from portal.demo.processes import Processes, Running, http_answers
from registries.topology.models import Registry
from tests.portal.command_line import CHECKOUT
from tests.registries.access.cast import Login


class Served:
    """A portal in a process of its own, on the rows of this test."""

    def __init__(self, port: int, running: Running) -> None:
        self.port, self.running = port, running

    def ask(self, method: str, path: str, **more: object) -> tuple[int, dict[str, object]]:
        line = http.client.HTTPConnection(LOOPBACK, self.port, timeout=30)
        try:
            line.request(method, path, **more)  # type: ignore[arg-type]
            answer = line.getresponse()
            body = answer.read()
        finally:
            line.close()
        return answer.status, json.loads(body) if body.startswith(b"{") else {}

    def raw(self, *parts: bytes, pause: float = 0, wait: float = 30) -> bytes:
        """What comes back for these very bytes; empty when the server hung up without a word."""
        with socket.create_connection((LOOPBACK, self.port), timeout=wait) as line:
            with suppress(OSError):  # it may have heard enough
                for part in parts:
                    line.sendall(part)
                    time.sleep(pause)
            found = b""
            with suppress(OSError):
                while part := line.recv(65536):
                    found += part
            return found

    def lives(self, login: Login, registry: Registry) -> bool:
        """Still the same process, and it still gives tokens."""
        header = {"Authorization": "Basic " + base64.b64encode(f"{login.username}:{login.secret}".encode()).decode()}
        status, body = self.ask("GET", f"/token?service={registry.service}&scope=repository:a:pull", headers=header)
        return status == 200 and "token" in body and self.running.process.poll() is None


COMMANDS = {
    "serve": [sys.executable, str(CHECKOUT / "manage.py"), "serve", "--no-jobs"],
    "gunicorn": [
        sys.executable, "-m", "gunicorn", "portal.token_wsgi", "--workers=1", "--threads=4", "--no-control-socket",
        "--limit-request-line=8190",
    ],
}  # fmt: skip


def database_url() -> str:
    """Of the database that this test runs on."""
    told = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{told['NAME']}"
    return f"postgres://{told['USER']}@{told['HOST']}:{told['PORT']}/{told['NAME']}"


def start_serving(name: str, ports: Ports, processes: Processes) -> Served:
    """``name`` is one of COMMANDS."""
    port = ports.take()
    command: list[str | Path] = [*COMMANDS[name], f"--bind={LOOPBACK}:{port}"]
    env = {**os.environ, "PORTAL_BASE_URL": f"http://{LOOPBACK}:{port}", "DATABASE_URL": database_url()}
    running = processes.start("served", command, env=env, grace_seconds=5)
    processes.wait_for(running, lambda: http_answers(LOOPBACK, port, "/healthz"), deadline_seconds=60)
    return Served(port, running)
