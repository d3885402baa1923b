"""Which commands set up a client for a registry? Ready to copy, with the reader's own name in them. Pure."""

from dataclasses import dataclass


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
