"""What do skopeo and its relatives do with the logins that docker has made?"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from portal.demo.content import Layout
from portal.demo.programs import Outcome, require, run

_PROGRAM = "skopeo"
# The machine's policy file may be missing, or forbid what we do; the demo's images are its own.
_BASE = [_PROGRAM, "--insecure-policy"]


@dataclass(frozen=True)
class Skopeo:
    """skopeo with one person's logins, toward registries without TLS on loopback."""

    authfile: Path | None = None

    def push(self, layout: Layout, image: str, *, tag: str = "") -> Outcome:
        """All platforms and the index, digests kept. ``image`` is host/repository:tag."""
        source = f"oci:{layout.folder}:{tag or layout.tag}"
        return self._copy("--dest-tls-verify=false", "--all", source, f"docker://{image}", auth="--dest-authfile")

    def pull(self, image: str, folder: Path) -> Outcome:
        """Everything of an image into a folder, its digests checked on the way."""
        folder.mkdir(parents=True, exist_ok=True)
        target = f"oci:{folder}:pulled"
        return self._copy("--src-tls-verify=false", "--all", f"docker://{image}", target, auth="--src-authfile")

    def raw_manifest(self, image: str) -> Outcome:
        """The manifest's own bytes, for who wants to hash them."""
        return run([*_BASE, "inspect", "--raw", "--tls-verify=false", *self._auth("--authfile"), f"docker://{image}"])

    def _copy(self, *arguments: str, auth: str) -> Outcome:
        return run([*_BASE, "copy", "--quiet", *self._auth(auth), *arguments], env=_env(), timeout_seconds=120)

    def _auth(self, option: str) -> list[str]:
        return [f"{option}={self.authfile}"] if self.authfile else []


def pulled_digest(folder: Path) -> str:
    """The digest of what ``pull`` has put into a folder."""
    entries = json.loads((folder / "index.json").read_text())["manifests"]
    return str(entries[-1]["digest"])


def export_for_engine(layout: Layout, platform: str, image: str, scratch: Path) -> Path:
    """One platform of a layout as an archive that ``docker load`` takes, named ``image``."""
    require(_PROGRAM)
    system, architecture = platform.split("/", 1)
    scratch.mkdir(parents=True, exist_ok=True)
    archive = scratch / f"{architecture}.tar"
    archive.unlink(missing_ok=True)
    source = f"oci:{layout.folder}:{layout.tag}"
    chosen = [f"--override-os={system}", f"--override-arch={architecture}"]
    command = [*_BASE, *chosen, "copy", "--quiet", source, f"docker-archive:{archive}:{image}"]
    run(command, env=_env(), timeout_seconds=60).or_fail(f"{platform} of {image} as an archive")
    return archive


def _env() -> dict[str, str]:
    # Without a login of its own it would take one of the person who runs the demo.
    return {key: value for key, value in os.environ.items() if key != "REGISTRY_AUTH_FILE"}
