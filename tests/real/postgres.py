"""A PostgreSQL of our own: a fresh cluster on a free loopback port, without fsync, removed afterwards.

``python -m tests.real.postgres COMMAND...`` runs a command with DATABASE_URL pointing at one.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from portal.demo.errors import DemoError
from portal.demo.ports import LOOPBACK, Ports
from portal.demo.processes import Processes
from portal.demo.programs import run
from portal.demo.workspace import workspace

_USER = "portreeve"
_OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "listen_addresses": LOOPBACK,
    # A race that locks up should fail its test, not the whole run.
    "deadlock_timeout": "200ms",
}


def find_program(name: str) -> str | None:
    """On PATH, or where Debian keeps PostgreSQL's programs; the newest version first."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: -int(path.parts[4]))
    return shutil.which(name) or next((str(path) for path in kept), None)


def why_absent() -> str:
    """Why no cluster can be started here, or nothing."""
    missing = [name for name in ("initdb", "postgres") if find_program(name) is None]
    return f"{' and '.join(missing)} not found; install the package postgresql" if missing else ""


@contextmanager
def postgres_cluster() -> Iterator[str]:
    """Yields the DATABASE_URL of a running cluster."""
    if absent := why_absent():
        raise DemoError(absent)
    with workspace("postgres") as folder, Ports() as ports, Processes(folder / "log") as processes:
        data = _create(folder)
        port = ports.take()
        settings = {**_OPTIONS, "port": str(port), "unix_socket_directories": str(data.parent)}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        running = processes.start("postgres", [*_as_owner(), find_program("postgres") or "", "-D", data, *arguments])
        url = f"postgres://{_USER}@{LOOPBACK}:{port}/postgres"
        processes.wait_for(running, lambda: _answers(port, data.parent))
        yield url


def _create(folder: Path) -> Path:
    """PostgreSQL refuses to run as root, so as root the cluster belongs to its own user."""
    home = folder / "cluster"
    home.mkdir(mode=0o700)
    if os.getuid() == 0:
        folder.chmod(0o711)
        shutil.chown(home, "postgres", "postgres")
    options = [f"--username={_USER}", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    command = [*_as_owner(), find_program("initdb") or "", f"--pgdata={home / 'data'}", *options]
    run(command, folder=home, timeout_seconds=120).or_fail("initdb")
    return home / "data"


def _as_owner() -> list[str]:
    if os.getuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--reset-env", "--pdeathsig=TERM"]


def _answers(port: int, sockets: Path) -> bool:
    ready = find_program("pg_isready") or ""
    return run([ready, "--quiet", f"--host={sockets}", f"--port={port}"], timeout_seconds=10).code == 0


def main(command: Sequence[str]) -> int:
    started = time.monotonic()
    with postgres_cluster() as url:
        sys.stderr.write(f"PostgreSQL is up after {time.monotonic() - started:.1f} s\n")
        # Importing the portal has named its settings; the command shall do that when it is ready for them.
        env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        return subprocess.run(command, env={**env, "DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except DemoError as error:
        sys.exit(str(error))
