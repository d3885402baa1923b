"""A containerd of our own, for the tests that pull as Kubernetes nodes do. It keeps everything in a temporary folder."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from portal.demo.processes import Processes
from portal.demo.programs import Outcome, run
from portal.demo.workspace import workspace

# Nothing but the store of content: no image is unpacked and no container runs.
_CONFIG = """\
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "{folder}/containerd.sock"
"""


def why_absent() -> str:
    """Why no containerd can be started here, or nothing."""
    if os.getuid() != 0:
        return "containerd starts as root only"
    missing = [name for name in ("containerd", "ctr") if shutil.which(name) is None]
    return f"{' and '.join(missing)} not found; install the package containerd" if missing else ""


@dataclass(frozen=True)
class Ctr:
    """ctr, talking to that containerd."""

    socket: str

    def pull(self, hosts_dir: Path, image: str, user: str = "") -> Outcome:
        """Content alone, as a node fetches it before it unpacks anything."""
        login = ["--user", user] if user else []
        return self("content", "fetch", "--hosts-dir", str(hosts_dir), *login, image)

    def push(self, hosts_dir: Path, image: str, source: str, platform: str) -> Outcome:
        """One platform of an image that was pulled, under another name."""
        return self("images", "push", "--hosts-dir", str(hosts_dir), "--platform", platform, image, source)

    def remove(self, image: str) -> None:
        """With its content, so that the next pull asks again."""
        self("images", "rm", "--sync", image).or_fail("ctr images rm")

    def __call__(self, *arguments: str) -> Outcome:
        return run(["ctr", "--address", self.socket, "--namespace", "tests", *arguments], timeout_seconds=60)


@contextmanager
def containerd() -> Iterator[Ctr]:
    """Yields a ctr whose containerd runs until the end."""
    with workspace("containerd") as folder, Processes(folder / "log") as processes:
        (folder / "config.toml").write_text(_CONFIG.format(folder=folder))
        running = processes.start(
            "containerd", ["containerd", "--config", str(folder / "config.toml")], grace_seconds=10
        )
        ctr = Ctr(f"{folder}/containerd.sock")
        processes.wait_for(running, lambda: ctr("version").code == 0, deadline_seconds=60)
        yield ctr
