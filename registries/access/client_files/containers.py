"""registries.conf of podman, skopeo, buildah and CRI-O, version 2 (containers-registries.conf(5), containers-certs.d(5))."""

from collections.abc import Iterator

from registries.access.client_files.closest import ClientRegistry, Plan, Route
from registries.access.client_files.files import ClientFile, ClientSetup, Note, for_whom
from registries.access.client_files.toml_text import quoted

FOLDER = "/etc/containers"
_DROP_IN = "registries.conf.d/50-portreeve.conf"


def containers_setup(plan: Plan) -> ClientSetup:
    """One drop-in for all registries, and certificates where a registry has some of its own."""
    routes = [route for route in plan.routes if not route.is_direct or route.original.is_trusted_blindly]
    drop_in = [ClientFile(_DROP_IN, f"{FOLDER}/{_DROP_IN}", registries_conf(routes, plan.location))] if routes else []
    files = (*drop_in, *certificate_files(plan, FOLDER))
    return ClientSetup("podman", "podman, skopeo, buildah, CRI-O", files, tuple(_notes(files)))


def registries_conf(routes: list[Route], location: str) -> str:
    """The tools ask the mirrors in order and the location last, and push to the location alone."""
    heading = f"# Written {for_whom(location)}. Mirrors are tried in this order, then the registry itself; pushes go to it alone."
    return "\n\n".join([heading, *(_registry(route) for route in routes)]) + "\n"


def _registry(route: Route) -> str:
    name = quoted(route.original.written)
    lines = ["[[registry]]", f"prefix = {name}", f"location = {name}", *_trust(route.original)]
    for one in route.before_last:
        lines += ["", "[[registry.mirror]]", f"location = {quoted(one.written)}", *_trust(one)]
    return "\n".join(lines)


def _trust(registry: ClientRegistry) -> Iterator[str]:
    if registry.is_trusted_blindly:
        yield "insecure = true"


def certificate_files(plan: Plan, folder: str) -> Iterator[ClientFile]:
    """certs.d/HOST:PORT/ca.crt, which Docker reads in the same form."""
    for route in plan.routes:
        own = route.original
        if own.certificates and not own.is_plain:
            path = f"certs.d/{own.written}/ca.crt"
            yield ClientFile(path, f"{folder}/{path}", own.certificates)


def _notes(files: tuple[ClientFile, ...]) -> Iterator[Note]:
    if not files:
        yield Note("No file is needed: nothing is closer, and every registry speaks TLS that the system trusts.")
        return
    yield Note(
        f"Copy the files to {FOLDER}, or to ~/.config/containers for one person. All these tools read them at every pull; "
        "CRI-O takes them when it is reloaded."
    )
    yield Note(
        "Log in to each of the registries by itself, for a tool shows a registry the login of its own host and no other."
    )
