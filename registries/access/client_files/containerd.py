"""certs.d/HOST/hosts.toml of containerd 1.5 and newer, and so of Kubernetes nodes that run it (containerd, docs/hosts.md)."""

from collections.abc import Iterator

from registries.access.client_files.closest import ClientRegistry, Plan, Route
from registries.access.client_files.files import ClientFile, ClientSetup, Note, for_whom
from registries.access.client_files.toml_text import listed, quoted

FOLDER = "/etc/containerd/certs.d"
_OWN_CERTIFICATES = "ca.crt"
_PULL, _ALL = ("pull", "resolve"), ("pull", "resolve", "push")

_CONFIG = f"""\
version = 2
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "{FOLDER}"
"""
_CONFIG_OF_2 = f"""\
version = 3
[plugins."io.containerd.cri.v1.images".registry]
  config_path = "{FOLDER}"
"""


def containerd_setup(plan: Plan) -> ClientSetup:
    """One folder per registry about which there is something to say; containerd needs to be told nothing of the others."""
    files = tuple(file for route in plan.routes if _has_news(route) for file in _folder(route, plan.location))
    return ClientSetup("containerd", "containerd", files, tuple(_notes(plan, files)))


def _has_news(route: Route) -> bool:
    own = route.original
    return not route.is_direct or own.is_trusted_blindly or bool(own.certificates)


def _folder(route: Route, location: str) -> Iterator[ClientFile]:
    folder = folder_of(route.original.written)
    yield _file(folder, "hosts.toml", hosts_toml(route, location))
    for one in dict.fromkeys((*route.tried, route.original)):
        if one.certificates:
            yield _file(folder, _certificates(one, route), one.certificates)


def _file(folder: str, name: str, text: str) -> ClientFile:
    return ClientFile(f"certs.d/{folder}/{name}", f"{FOLDER}/{folder}/{name}", text)


def folder_of(host: str) -> str:
    """The first name that containerd looks for, and the only one it takes on every system: no colon in it."""
    name, colon, port = host.rpartition(":")
    return f"{name}_{port}_" if colon else host


def _certificates(registry: ClientRegistry, route: Route) -> str:
    return _OWN_CERTIFICATES if registry == route.original else f"{registry.name}.crt"


def hosts_toml(route: Route, location: str) -> str:
    """Whoever is closer is asked first, for pulls alone; a push has nowhere to go but to the server."""
    order = "Pulls are tried in this order, then at the server; pushes go there alone."
    lines = [
        f"# {route.original.name}, {'by its own name.' if route.is_direct else f'{for_whom(location)}. {order}'}",
        f"server = {quoted(route.original.address)}",
        *_trust(route.original, route),
    ]
    # Releases such as 1.6 take a file that names no host for broken, and then forget the rest of it.
    named = route.before_last or (route.original,)
    for one in named:
        can = _PULL if route.before_last else _ALL
        trust = [f"  {line}" for line in _trust(one, route)]
        lines += ["", f"[host.{quoted(one.address)}]", f"  capabilities = {listed(can)}", *trust]
    return "\n".join(lines) + "\n"


def _trust(registry: ClientRegistry, route: Route) -> Iterator[str]:
    if registry.is_plain:
        return
    if registry.certificates:
        yield f"ca = {quoted(_certificates(registry, route))}"
    if not registry.is_verified:
        yield "skip_verify = true"


def _notes(plan: Plan, files: tuple[ClientFile, ...]) -> Iterator[Note]:
    if not files:
        yield Note("containerd needs no file: nothing is closer, and every registry speaks TLS that the system trusts.")
        return
    yield Note(f"Copy certs.d to {FOLDER}. containerd reads it at every pull, once its config.toml says so:", _CONFIG)
    yield Note("In containerd 2:", _CONFIG_OF_2)
    yield Note(
        "hosts.toml holds no login. Kubernetes hands over the pull secret that fits the name of the image, and containerd shows it to "
        "the closer registries too: they take the same user name and secret."
    )
    for route in plan.detours:
        if route.closest.takes_our_login and not route.original.takes_our_login:
            yield Note(
                f"{route.closest.name} asks for a login, and nodes have none for {route.original.written}. Give them no secret of ours under "
                f"that name, for {route.original.written} would be shown it too. Open what they may have of it by a public access rule."
            )
    yield Note("Try it by hand:", f"ctr images pull --hosts-dir {FOLDER} --user NAME HOST/NAME:TAG")
