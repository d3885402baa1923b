"""How does one real CNCF Distribution server come up, from its configuration to its first answer?"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from os import environ
from pathlib import Path

import yaml

from portal.demo.errors import DemoError
from portal.demo.ports import LOOPBACK
from portal.demo.processes import Processes, Running, http_answers

PROGRAM = "docker-registry"
Config = Mapping[str, object]
_MINIMAL: Config = {"version": 0.1, "log": {"level": "warn"}, "storage": {"delete": {"enabled": True}}}


@dataclass(frozen=True)
class RegistryServer:
    """One registry that runs for us."""

    name: str
    port: int
    folder: Path
    running: Running
    program: str = PROGRAM

    @property
    def host(self) -> str:
        """As written in front of a repository's name."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"


def start_registry(
    processes: Processes,
    folder: Path,
    name: str,
    port: int,
    config: Config | None = None,
    *,
    bundle: str = "",
    program: str = PROGRAM,
) -> RegistryServer:
    """Starts a registry by its configuration, moved to loopback and a folder of its own; does not wait.

    ``bundle`` is the PEM text of the certificates it shall trust, for a configuration with token authentication. ``program``
    is the server to run, where it is another than Debian's.
    """
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.yml").write_text(yaml.safe_dump(_at_home(config or _MINIMAL, home, port, bundle), sort_keys=False))
    return RegistryServer(name, port, home, _serve(processes, name, home, program), program)


def restart_registry(processes: Processes, registry: RegistryServer) -> RegistryServer:
    """The same registry again: configuration, port and storage as before."""
    return replace(registry, running=_serve(processes, registry.name, registry.folder, registry.program))


def _serve(processes: Processes, name: str, home: Path, program: str) -> Running:
    # The server lets variables like REGISTRY_HTTP_ADDR override its file; those of this shell are not about it.
    env = {key: value for key, value in environ.items() if not key.startswith("REGISTRY_")}
    return processes.start(name, [program, "serve", home / "config.yml"], env=env, folder=home, grace_seconds=3)


def wait_for_registry(processes: Processes, registry: RegistryServer, deadline_seconds: float = 30) -> None:
    """Until it answers on /v2/: 200 when open, 401 when it wants a token."""
    processes.wait_for(
        registry.running,
        lambda: http_answers(LOOPBACK, registry.port, "/v2/"),
        deadline_seconds=deadline_seconds,
    )


def read_config(text: str, name: str) -> dict[str, object]:
    """The configuration that a command printed, as a mapping."""
    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DemoError(f"The configuration printed for {name} is no YAML: {error}") from error
    if not isinstance(config, dict):
        raise DemoError(f"The configuration printed for {name} is empty.")
    return config


def _at_home(config: Config, home: Path, port: int, bundle: str) -> dict[str, object]:
    """The same configuration, but listening on loopback and keeping everything in ``home``."""
    moved: dict[str, object] = deepcopy(dict(config))
    moved["http"] = {**_section(moved, "http"), "addr": f"{LOOPBACK}:{port}"}
    storage = {key: value for key, value in _section(moved, "storage").items() if key != "inmemory"}
    moved["storage"] = {**storage, "filesystem": {"rootdirectory": str(home / "storage")}}
    token = _section(_section(moved, "auth"), "token")
    if bundle and token:
        certificates = home / "bundle.pem"
        certificates.write_text(bundle)
        moved["auth"] = {"token": {**token, "rootcertbundle": str(certificates)}}
    return moved


def _section(config: Config, name: str) -> Mapping[str, object]:
    section = config.get(name)
    return section if isinstance(section, Mapping) else {}
