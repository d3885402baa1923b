"""What goes wrong before the story begins is one sentence, exit 1, and nothing is left."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from portal.demo.ports import LOOPBACK


def play_demo(scratch: Path, *arguments: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "TMPDIR": str(scratch), "PATH": path}
    command = [sys.executable, "-m", "portal.demo", "--exit", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        ended = play_demo(tmp_path, "--port", str(port))
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        f"Port {port} is in use on 127.0.0.1; stop what listens there, or leave --port out to get a free one."
    ]
    assert json.loads(ended.stdout) == {"ok": False, "steps": []}
    assert list(tmp_path.iterdir()) == []


def test_a_missing_tool_is_one_sentence_with_the_way_to_get_it(tmp_path: Path) -> None:
    ended = play_demo(tmp_path, path=str(tmp_path))
    assert ended.returncode == 1
    [sentence] = ended.stderr.splitlines()
    assert sentence.startswith(
        "Missing on this machine: docker-registry, docker, skopeo. Install the Debian packages: "
    )
    assert list(tmp_path.iterdir()) == []
