"""Which servers run for us, are they well, and are they all gone afterwards?"""

import ctypes
import http.client
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Self

from portal.demo.errors import DemoError, one_line

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_POLL_SECONDS = 0.05
_LOGRUS_MESSAGE = re.compile(r'\bmsg="((?:[^"\\]|\\.)*)"')


class Interrupted(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal: stop everything and go, without a story."""


@dataclass(frozen=True)
class Running:
    """One server of ours. It leads its own process group, so its children go with it."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    grace_seconds: float

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def obituary(self) -> str:
        """One sentence on how it ended, with the last thing it said."""
        code = self.process.poll()
        how = f"was killed by {signal.Signals(-code).name}" if code and code < 0 else f"ended with code {code}"
        last = last_words(self.log)
        return f"{self.name} {how}" + (f"; the last it said: {last}" if last else " without a word.")

    def stop(self) -> None:
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(self.grace_seconds)
        # Also when the leader has gone in good order: a worker of its may be left.
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        # PermissionError: the group is made of nothing but dead processes on some kernels.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


class Processes:
    """Servers in the order they were started; leaving the block stops them in reverse, whatever the reason."""

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self._running: list[Running] = []

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
        grace_seconds: float = 5,
    ) -> Running:
        """Starts a server and does not wait; ``wait_for`` does.

        To be called from a thread that lives as long as the server: the kernel ends the child when the thread that
        started it ends, so that nothing survives a ``kill -9`` of this process.
        """
        self._log_folder.mkdir(parents=True, exist_ok=True)
        log = self._log_folder / f"{name}.log"
        with log.open("ab") as output:
            process = _spawn(name, [str(part) for part in command], output.fileno(), env, folder)
        running = Running(name, process, log, grace_seconds)
        self._running.append(running)
        return running

    def wait_for(self, running: Running, answers: Callable[[], bool], *, deadline_seconds: float = 30) -> None:
        """Until it answers. Says so at once when it dies instead, and at the deadline when it does neither."""
        deadline = time.monotonic() + deadline_seconds
        while not answers():
            if not running.is_alive:
                raise DemoError(running.obituary())
            if time.monotonic() > deadline:
                last = last_words(running.log) or "nothing"
                raise DemoError(
                    f"{running.name} did not answer within {deadline_seconds:g} s; the last it said: {last}"
                )
            time.sleep(_POLL_SECONDS)

    def check(self) -> None:
        """Raises when one that should be running has ended."""
        for running in self._running:
            if not running.is_alive:
                raise DemoError(running.obituary())

    def stop(self, running: Running) -> None:
        running.stop()
        self._running.remove(running)

    def stop_all(self) -> None:
        while self._running:
            self._running.pop().stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self.stop_all()


def _spawn(
    name: str, command: list[str], output: int, env: Mapping[str, str] | None, folder: Path | None
) -> subprocess.Popen[bytes]:
    parent = os.getpid()

    def die_with_parent() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        # The parent may have died before the line above took hold.
        if os.getppid() != parent:
            os._exit(1)

    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=folder,
            process_group=0,
            preexec_fn=die_with_parent,  # noqa: PLW1509  one prctl and no lock is taken; started before any thread
        )
    except OSError as error:
        raise DemoError(f"{name} could not be started with {command[0]}: {error.strerror or error}.") from error


def last_words(log: Path, limit: int = 300) -> str:
    """The last line with something in it; of a structured log line, its message."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 8192))
        lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    if not lines:
        return ""
    message = _LOGRUS_MESSAGE.search(lines[-1])
    return one_line(message[1].replace('\\"', '"') if message else lines[-1], limit)


def http_answers(host: str, port: int, path: str = "/", *, below: int = 500) -> bool:
    """Whether a plain GET gets an answer with a status under ``below``."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < below
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP raise Interrupted in the main thread, so that every ``with`` cleans up.

    Only the first does: a second Ctrl-C must not interrupt the clean-up that the first one asked for.
    """
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(number: int, frame: FrameType | None) -> None:
        for one in signals:
            signal.signal(one, signal.SIG_IGN)
        raise Interrupted(signal.Signals(number).name)

    before = {number: signal.signal(number, interrupt) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
