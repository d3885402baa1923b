"""Which commands set up a client for a registry? Ready to copy, with the reader's own name in them. Pure."""

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from registries.access.client_files.closest import ClientRegistry, Plan
from registries.access.client_files.files import ClientFile

# Of the files a client is set up with (RFC 9512 for YAML; TOML is registered as application/toml).
_TYPES = {
    "toml": "application/toml",
    "conf": "application/toml",
    "json": "application/json",
    "yaml": "application/yaml",
    "crt": "application/x-pem-file",
}
# A zip of the same files is the same zip.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Client:
    """One tool and what to type."""

    name: str
    login: str
    pull: str


def clients_for(host: str, username: str, *, is_plain: bool) -> tuple[Client, ...]:
    """``is_plain``: the registry speaks plain HTTP, which the tools must be told, except docker on loopback."""
    podman, skopeo = (" --tls-verify=false", " --tls-verify=false") if is_plain else ("", "")
    copy = " --src-tls-verify=false" if is_plain else ""
    return (
        Client("docker", f"docker login {host} -u {username}", f"docker pull {host}/NAME:TAG"),
        Client("podman", f"podman login{podman} -u {username} {host}", f"podman pull{podman} {host}/NAME:TAG"),
        Client(
            "skopeo",
            f"skopeo login{skopeo} -u {username} {host}",
            f"skopeo copy{copy} docker://{host}/NAME:TAG oci:FOLDER:TAG",
        ),
        Client("buildah", f"buildah login{podman} -u {username} {host}", f"buildah pull{podman} {host}/NAME:TAG"),
    )


@dataclass(frozen=True, slots=True)
class LoginLine:
    """One registry and what logs in there."""

    registry: ClientRegistry
    command: str


def login_lines(plan: Plan, program: str, username: str) -> list[LoginLine]:
    """One for each registry that takes our login; programs that hold no logins of people have none."""
    return [
        LoginLine(row, client.login)
        for row in plan.logins
        for client in clients_for(row.written, username, is_plain=row.is_plain)
        if client.name == program
    ]


def content_type(file: ClientFile) -> str:
    return _TYPES.get(file.name.rpartition(".")[2], "text/plain")


def zipped(files: Iterable[ClientFile]) -> bytes:
    """All in one, in their folders."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(file.path, _LONG_AGO), file.text)
    return out.getvalue()
