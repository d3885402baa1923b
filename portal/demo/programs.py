"""Running the programs that people use by hand, and saying in one sentence what they complained about."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.demo.errors import DemoError, one_line

_TRACEBACK = "Traceback (most recent call last)"
# What to install when a program is missing.
_PACKAGES = {"docker": "docker.io (Debian 12) or docker-cli", "apt-get": "apt", "dpkg-deb": "dpkg"}


@dataclass(frozen=True)
class Outcome:
    """How a program ended. Refusals are often what a step wants to see, so a bad code is no exception here."""

    command: tuple[str, ...]
    code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout.decode(errors="replace").strip()

    @property
    def complaint(self) -> str:
        """In one line; of a Python traceback, its last line is what happened."""
        said = self.stderr.strip() or self.text or f"no word, only code {self.code}"
        return one_line(said.splitlines()[-1] if _TRACEBACK in said else said)

    def or_fail(self, what: str) -> "Outcome":
        """Itself when it went well, else a DemoError that says what failed and why."""
        if self.code != 0:
            raise DemoError(f"{what} failed: {self.complaint}")
        return self


def require(*programs: str) -> None:
    """Every program is there, or one sentence with the ways to get those that are not."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        packages = ", ".join(_PACKAGES.get(program, program) for program in missing)
        raise DemoError(
            f"Missing on this machine: {', '.join(missing)}. Install the Debian packages: {packages}; "
            "or run `make demo` as root, which does it."
        )


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    given: str | None = None,
    timeout_seconds: float = 60,
) -> Outcome:
    """Runs a program to its end; ``given`` is its standard input. It is killed at the timeout."""
    try:
        ended = subprocess.run(
            list(command),
            env=None if env is None else dict(env),
            cwd=folder,
            input=None if given is None else given.encode(),
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
        )
    except FileNotFoundError as error:
        raise DemoError(f"{command[0]} is not installed, or not on PATH.") from error
    except subprocess.TimeoutExpired as error:
        raise DemoError(f"`{command[0]} {command[1]}` did not end within {timeout_seconds:g} s.") from error
    return Outcome(tuple(command), ended.returncode, ended.stdout, ended.stderr.decode(errors="replace"))
