"""A Docker engine of our own, for the tests that push and pull as people do. It has no network but the host's."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.demo.docker import Docker
from portal.demo.processes import Processes
from portal.demo.programs import run
from portal.demo.workspace import workspace

_PROGRAM = "dockerd"


def why_absent() -> str:
    """Why no engine can be started here, or nothing."""
    if os.getuid() != 0:
        return "a Docker engine starts as root only"
    missing = [name for name in (_PROGRAM, "containerd", "docker") if shutil.which(name) is None]
    return f"{' and '.join(missing)} not found; install the package docker.io" if missing else ""


@contextmanager
def docker_engine(daemon_json: Path | None = None) -> Iterator[str]:
    """Yields DOCKER_HOST of a running engine that keeps everything in a temporary folder.

    ``daemon_json`` is the engine's file of settings; without one it trusts loopback without TLS, as engines do."""
    with workspace("engine") as folder, Processes(folder / "log") as processes:
        socket = f"unix://{folder}/docker.sock"
        # The images of a test are small, and vfs is the one storage that works in every container.
        running = processes.start("dockerd", _command(folder, socket, daemon_json), folder=folder, grace_seconds=20)
        processes.wait_for(running, lambda: _answers(socket), deadline_seconds=60)
        yield socket


def _command(folder: Path, socket: str, daemon_json: Path | None) -> list[str]:
    # What stands in the file must not be said a second time.
    told = f"--config-file={daemon_json}" if daemon_json else "--insecure-registry=127.0.0.0/8"
    return [
        _PROGRAM,
        f"--host={socket}",
        f"--data-root={folder}/data",
        f"--exec-root={folder}/exec",
        f"--pidfile={folder}/docker.pid",
        "--iptables=false",
        "--ip6tables=false",
        "--bridge=none",
        "--storage-driver=vfs",
        "--log-level=warn",
        told,
    ]


def _answers(socket: str) -> bool:
    return run(["docker", "version"], env={**os.environ, "DOCKER_HOST": socket}, timeout_seconds=10).code == 0


def docker_with_engine(config_folder: Path, engine: str) -> Docker:
    """A person's docker that talks to this engine."""
    config_folder.mkdir(parents=True, exist_ok=True)
    return Docker(config_folder, engine)
