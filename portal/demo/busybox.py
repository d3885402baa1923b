"""Where does real content for two platforms come from? From Debian's busybox-static, in both architectures.

apt works in folders of its own, with the system's sources and keys: it needs no root and changes nothing here.
"""

import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from portal.demo.content import Files, Link
from portal.demo.errors import DemoError
from portal.demo.programs import require, run

PACKAGE = "busybox-static"
ARCHITECTURES = ("amd64", "arm64")
_APPLETS = ("sh", "ls", "cat", "echo", "uname", "wget")


def busybox_files(cache: Path, architectures: Sequence[str] = ARCHITECTURES) -> dict[str, Files]:
    """The root file system of a small image, by platform. Fetched once, then taken from ``cache``."""
    programs = {architecture: cache / f"{PACKAGE}-{architecture}" for architecture in architectures}
    missing = [architecture for architecture, path in programs.items() if not path.exists()]
    if missing:
        _fetch(cache, missing)
    return {f"linux/{architecture}": _root(path.read_bytes()) for architecture, path in programs.items()}


def _root(busybox: bytes) -> Files:
    return {"bin/busybox": busybox, **{f"bin/{applet}": Link("busybox") for applet in _APPLETS}}


def _fetch(cache: Path, architectures: Sequence[str]) -> None:
    require("apt-get", "dpkg-deb")
    # Under the system's temporary folder, not under the cache: root's apt fetches as user _apt, which must get in.
    with tempfile.TemporaryDirectory(prefix="portreeve-apt-") as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        apt = _private_apt(folder, architectures)
        _run_apt([*apt, "update"], folder)
        _run_apt([*apt, "download", *(f"{PACKAGE}:{architecture}" for architecture in architectures)], folder)
        cache.mkdir(parents=True, exist_ok=True)
        for architecture in architectures:
            _unpack(folder, architecture, cache / f"{PACKAGE}-{architecture}")


def _private_apt(folder: Path, architectures: Sequence[str]) -> list[str]:
    """An apt-get with state and cache of its own, that knows just these architectures and no installed package."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "state/status").touch()
    options = {
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "state/status",
        "Dir::Cache": folder / "cache",
        "APT::Architectures": ",".join(architectures),
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
        "Acquire::http::Timeout": "20",
        "Acquire::https::Timeout": "20",
        # Hooks of the machine's owner are about the machine's own packages.
        "APT::Update::Post-Invoke": "",
        "APT::Update::Post-Invoke-Success": "",
    }
    return ["apt-get", "--quiet", "--quiet", *(f"--option={name}={value}" for name, value in options.items())]


def _run_apt(command: Sequence[str], folder: Path) -> None:
    outcome = run(command, env={**os.environ, "LC_ALL": "C"}, folder=folder, timeout_seconds=180)
    if outcome.code != 0:
        raise DemoError(
            f"Debian's package {PACKAGE}, the content of the demo's image, could not be fetched for "
            f"{' and '.join(ARCHITECTURES)}: {outcome.complaint}"
        )


def _unpack(folder: Path, architecture: str, target: Path) -> None:
    package = next(folder.glob(f"{PACKAGE}_*_{architecture}.deb"), None)
    if package is None:
        raise DemoError(f"Debian's sources on this machine have no {PACKAGE} for {architecture}.")
    outcome = run(["dpkg-deb", "--fsys-tarfile", str(package)], timeout_seconds=60)
    with tarfile.open(fileobj=io.BytesIO(outcome.stdout)) as archive:
        member = next(entry for entry in archive if entry.isfile() and entry.name.endswith("bin/busybox"))
        content = archive.extractfile(member)
        assert content is not None  # noqa: S101  isfile() above says so
        scratch = target.with_suffix(".part")
        with scratch.open("wb") as output:
            shutil.copyfileobj(content, output)
        scratch.replace(target)
