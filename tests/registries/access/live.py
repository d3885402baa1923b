"""A portal that answers tokens under a real gunicorn, and real registries that were configured by it."""

import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from portal.demo.content import Layout, build_layout
from portal.demo.ports import LOOPBACK, Ports
from portal.demo.processes import Processes, Running, http_answers
from portal.demo.programs import Outcome, run
from portal.demo.registries import RegistryServer
from registries.topology.models import Registry
from tests.real.registries import RegistryStarter
from tests.registries.access.cast import Login, make_registry


@dataclass
class LivePortal:
    """The token endpoint in a process of its own, on the rows of this test."""

    processes: Processes
    port: int
    running: Running | None = None

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "gunicorn",
            "portal.token_wsgi",
            "--threads=4",
            "--workers=1",
            "--no-control-socket",
        ]
        command += [f"--bind={LOOPBACK}:{self.port}", "--limit-request-line=8190"]
        env = {
            **os.environ,
            "PORTAL_BASE_URL": self.url,
            "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        }
        self.running = self.processes.start("tokens", command, env=env, grace_seconds=5)
        self.processes.wait_for(
            self.running, lambda: http_answers(LOOPBACK, self.port, "/healthz"), deadline_seconds=40
        )


@dataclass
class World:
    """What a live test plays with."""

    portal: LivePortal
    start: RegistryStarter
    folder: Path

    def registry(self, name: str, kind: str = "", version: str = "2.8", **fields: Any) -> RegistryServer:
        """A real registry with its row, running by the very file that the command prints."""
        port = self.start.take_port()
        make_registry(name, kind, url=f"http://{LOOPBACK}:{port}", **fields)
        return self.start(name, config=self.printed(name, version), port=port)

    def printed(self, name: str, version: str = "2.8", product: str | None = None) -> dict[str, object]:
        out = io.StringIO()
        wanted = {"server": version, "product": product, "keys_dir": str(self.folder / "keys" / name)}
        call_command("registry_config", name, **wanted, stdout=out, stderr=io.StringIO())
        config: dict[str, object] = yaml.safe_load(out.getvalue())
        return config

    def row(self, name: str) -> Registry:
        return Registry.objects.get(name=name)

    def image(self, text: str = "hello") -> Layout:
        """A small image for two platforms."""
        files = {"bin/hello": text.encode()}
        return build_layout(self.folder / f"image-{text}", {"linux/amd64": files, "linux/arm64": files}, {}, "1.0.0")


def make_world(settings: Settings, folder: Path, ports: Ports, processes: Processes, start: RegistryStarter) -> World:
    """Starts the portal; registries follow as the test asks for them."""
    portal = LivePortal(processes, ports.take())
    settings.PORTAL_BASE_URL = portal.url
    settings.PORTAL_TOKEN_ISSUER = f"{LOOPBACK}:{portal.port}"
    portal.start()
    return World(portal, start, folder)


@dataclass(frozen=True)
class Containers:
    """podman or buildah of one person, with storage and logins of their own."""

    program: str
    folder: Path

    @property
    def authfile(self) -> Path:
        return self.folder / "auth.json"

    def login(self, host: str, login: Login) -> Outcome:
        return self(
            "login", *self._auth(), f"--username={login.username}", "--password-stdin", host, given=login.secret
        )

    def push(self, image: str, where: str) -> Outcome:
        return self("push", *self._auth(), image, f"docker://{where}")

    def pull(self, image: str) -> Outcome:
        return self("pull", "--quiet", *self._auth(), image)

    def load(self, layout: Layout) -> str:
        """The image of a layout in this storage; its id."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self("pull", "--quiet", f"oci:{layout.folder}:{layout.tag}").or_fail("load").text.splitlines()[-1]

    def _auth(self) -> list[str]:
        return [f"--authfile={self.authfile}", "--tls-verify=false"]

    def __call__(self, *arguments: str, given: str | None = None) -> Outcome:
        self.folder.mkdir(parents=True, exist_ok=True)
        policy = self.folder / "policy.json"
        policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        verb, rest = arguments[0], list(arguments[1:])
        places = [f"--root={self.folder / 'root'}", f"--runroot={self.folder / 'run'}", "--storage-driver=vfs"]
        if verb in ("pull", "push"):
            rest.insert(0, f"--signature-policy={policy}")
        return run([self.program, *places, verb, *rest], env={**os.environ, "HOME": str(self.folder)}, given=given)
