"""Real registries for tests: Debian's docker-registry on free ports, each with storage of its own."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from portal.demo.ports import LOOPBACK, Ports
from portal.demo.processes import Processes
from portal.demo.registries import PROGRAM, Config, RegistryServer, restart_registry, start_registry, wait_for_registry


def why_absent() -> str:
    """Why no registry can be started here, or nothing."""
    return "" if shutil.which(PROGRAM) else f"{PROGRAM} not found; install the package {PROGRAM}"


class RegistryStarter:
    """Called to get a registry; everything it started ends with its test."""

    def __init__(self, folder: Path, ports: Ports, processes: Processes) -> None:
        self._folder, self._ports, self._processes = folder, ports, processes

    def __call__(
        self,
        name: str = "registry",
        *,
        token: Mapping[str, str] | None = None,
        bundle: str = "",
        upstream: str = "",
        config: Config | None = None,
        port: int = 0,
        program: str = PROGRAM,
    ) -> RegistryServer:
        """An open registry where deleting works.

        ``token`` (realm, service, issuer) with ``bundle`` (PEM text) makes it ask for our tokens, ``upstream`` (a URL) makes
        it a pull-through cache, ``config`` is laid over all that. ``port`` is one that ``take_port`` has given, ``program``
        the server to run instead of Debian's.
        """
        server = start_registry(
            self._processes,
            self._folder,
            name,
            port or self._ports.take(),
            {**_config(token, upstream), **(config or {})},
            bundle=bundle,
            program=program,
        )
        wait_for_registry(self._processes, server)
        return server

    def start_zot(self, program: str, name: str, config: Mapping[str, Any], port: int) -> RegistryServer:
        """zot by its configuration, moved to loopback and a folder of its own."""
        home = self._folder / name
        home.mkdir(parents=True, exist_ok=True)
        moved = {
            **config,
            "storage": {**config["storage"], "rootDirectory": str(home / "storage")},
            "http": {**config["http"], "address": LOOPBACK, "port": str(port)},
        }
        (home / "config.yml").write_text(yaml.safe_dump(moved, sort_keys=False))
        running = self._processes.start(name, [program, "serve", home / "config.yml"], folder=home, grace_seconds=3)
        server = RegistryServer(name, port, home, running, program)
        wait_for_registry(self._processes, server)
        return server

    def take_port(self) -> int:
        """A port for a server that has to be known before it runs."""
        return self._ports.take()

    def stop(self, server: RegistryServer) -> None:
        """As when a registry goes down; its storage and its port stay."""
        self._processes.stop(server.running)

    def restart(self, server: RegistryServer) -> RegistryServer:
        """The same registry again, by the configuration it had."""
        again = restart_registry(self._processes, server)
        wait_for_registry(self._processes, again)
        return again


def _config(token: Mapping[str, str] | None, upstream: str) -> dict[str, object]:
    config: dict[str, object] = {
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {"delete": {"enabled": True}, "maintenance": {"uploadpurging": {"enabled": False}}},
    }
    if token:
        config["auth"] = {"token": dict(token)}
    if upstream:
        config["proxy"] = {"remoteurl": upstream}
    return config
