"""Servers come up, die audibly, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from portal.demo.errors import DemoError
from portal.demo.ports import LOOPBACK, Ports
from portal.demo.processes import Interrupted, Processes, http_answers, interruptible, last_words

SERVER = [sys.executable, "-m", "http.server", "--bind", LOOPBACK]
SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
# Starts a child of its own, tells both pids, and ignores SIGTERM.
STUBBORN_CODE = (
    "import os, signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print(os.getpid(), child.pid, flush=True); time.sleep(60)"
)
STUBBORN = [sys.executable, "-c", STUBBORN_CODE]


def is_ready(log: Path) -> bool:
    return last_words(log) == "ready"


def is_alive(pid: int) -> bool:
    """Zombies of other parents count as dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(condition: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_waits_until_the_server_answers_and_stops_it_at_the_end(tmp_path: Path, ports: Ports) -> None:
    port = ports.take()
    with Processes(tmp_path) as processes:
        server = processes.start("web", [*SERVER, str(port)], folder=tmp_path)
        processes.wait_for(server, lambda: http_answers(LOOPBACK, port))
        processes.check()
    assert not is_alive(server.pid)
    assert not http_answers(LOOPBACK, port)


def test_a_server_that_dies_at_once_is_one_sentence_with_its_last_words(tmp_path: Path, processes: Processes) -> None:
    dying = processes.start("prod", ["sh", "-c", "echo first; echo 'disk is full' >&2; exit 3"])
    with pytest.raises(DemoError, match=r"^prod ended with code 3; the last it said: disk is full$"):
        processes.wait_for(dying, lambda: False)


def test_a_server_that_is_killed_later_is_noticed(processes: Processes) -> None:
    victim = processes.start("cache", SLEEPER)
    processes.check()
    os.kill(victim.pid, signal.SIGKILL)
    victim.process.wait(10)
    with pytest.raises(DemoError, match=r"^cache was killed by SIGKILL without a word"):
        processes.check()


def test_a_server_that_never_answers_is_given_up_at_the_deadline(processes: Processes) -> None:
    mute = processes.start("mute", SLEEPER)
    with pytest.raises(DemoError, match=r"mute did not answer within 0\.2 s"):
        processes.wait_for(mute, lambda: False, deadline_seconds=0.2)


def test_a_program_that_is_not_there_is_a_sentence(processes: Processes) -> None:
    with pytest.raises(DemoError, match=r"prod could not be started with no-such-registry: No such file"):
        processes.start("prod", ["no-such-registry", "serve"])


def test_stopping_reaches_children_and_those_who_ignore_sigterm(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        stubborn = processes.start("stubborn", STUBBORN, grace_seconds=0.2)
        processes.wait_for(stubborn, lambda: len(stubborn.log.read_text().split()) == 2)
        pids = [int(pid) for pid in stubborn.log.read_text().split()]
    assert until(lambda: not any(is_alive(pid) for pid in pids))


def test_servers_stop_in_reverse_order(tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(open({!r}, 'a').write({!r})));"
    )
    with Processes(tmp_path) as processes:
        for name in ("first", "second", "third"):
            code = script.format(str(told), name + " ") + "print('ready', flush=True); time.sleep(60)"
            one = processes.start(name, [sys.executable, "-c", code])
            processes.wait_for(one, partial(is_ready, one.log))
    assert told.read_text().split() == ["third", "second", "first"]


def test_nothing_survives_a_demo_that_is_killed_the_hard_way(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from portal.demo.processes import Processes;"
        f"one = Processes(Path({str(tmp_path)!r})).start('orphan', [sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(one.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        orphan = int(demo.stdout.readline())
        assert is_alive(orphan)
        demo.kill()
    assert until(lambda: not is_alive(orphan))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_block_and_only_the_first_one_counts(number: signal.Signals) -> None:
    cleaned = False

    def demo() -> None:
        nonlocal cleaned
        with interruptible():
            try:
                os.kill(os.getpid(), number)
                until(lambda: False, seconds=5)
            finally:
                os.kill(os.getpid(), number)
                cleaned = True

    with pytest.raises(Interrupted, match=number.name):
        demo()
    assert cleaned
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_last_words_of_a_structured_log_are_its_message(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text('time="2026-01-01T00:00:00Z" level=fatal msg="open \\"x\\": permission denied" go.version=go1\n\n')
    assert last_words(log) == 'open "x": permission denied'
    assert last_words(tmp_path / "none") == ""
