"""Pure: which registry does a client ask first for what it pulls, and which next?

Where somebody stands, a cache comes first, then a replica, then the registry itself, then the replicas elsewhere, so that a pull goes
on while one of them is down. Only a registry that gives the same content under the same names stands in for another."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from registries.oci.reference import DOCKER_HUB, is_registry

# As people register it, under what clients write or under what they connect to.
_HUB_HOSTS = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_HUB_SERVER = "registry-1.docker.io"
_WORD = {"observed": 0, "brokered": 1, "enforced": 2}


@dataclass(frozen=True, slots=True)
class ClientRegistry:
    """A registry as a client meets it. ``primary`` and ``fronts`` are names, ``certificates`` PEM text to trust instead of the
    system's, ``lacks_certificates`` that there are some which the portal cannot read, ``is_following`` whether replication keeps a
    replica in step."""

    name: str
    host: str
    kind: str
    location: str = ""
    reach: str = "enforced"
    primary: str = ""
    fronts: str = ""
    is_plain: bool = False
    is_verified: bool = True
    certificates: str = ""
    lacks_certificates: bool = False
    is_following: bool = False

    @property
    def is_hub(self) -> bool:
        return self.host in _HUB_HOSTS

    @property
    def written(self) -> str:
        """What stands before the slash in the name of an image."""
        return DOCKER_HUB if self.is_hub else self.host

    @property
    def address(self) -> str:
        """What a client connects to. Docker Hub answers elsewhere than its name says."""
        host = _HUB_SERVER if self.is_hub else self.host
        return f"{'http' if self.is_plain else 'https'}://{host}"

    @property
    def role(self) -> str:
        """primary, replica or cache."""
        return "cache" if self.fronts else "replica" if self.primary else "primary"

    @property
    def takes_our_login(self) -> bool:
        return self.reach == "enforced"

    @property
    def is_trusted_blindly(self) -> bool:
        """Without TLS, or with TLS that nobody checks."""
        return self.is_plain or not self.is_verified


@dataclass(frozen=True, slots=True)
class Route:
    """``tried`` names, in this order, who is asked for what ``original`` holds; it is among them."""

    original: ClientRegistry
    tried: tuple[ClientRegistry, ...]

    @property
    def before_last(self) -> tuple[ClientRegistry, ...]:
        """Those to name, for clients that ask the original last without being told."""
        return self.tried[:-1] if self.tried[-1] == self.original else self.tried

    @property
    def closest(self) -> ClientRegistry:
        return self.tried[0]

    @property
    def is_direct(self) -> bool:
        return self.tried == (self.original,)


@dataclass(frozen=True, slots=True)
class Plan:
    """One route per name that clients may write, those of replicas and caches among them; the first are what people pull from.
    ``remarks`` are sentences about what stays out, and why."""

    location: str
    routes: tuple[Route, ...]
    remarks: tuple[str, ...] = ()

    @property
    def detours(self) -> tuple[Route, ...]:
        """Where anybody else than the original is asked."""
        return tuple(route for route in self.routes if not route.is_direct)

    @property
    def logins(self) -> tuple[ClientRegistry, ...]:
        """Registries that ask for a login of ours: each for its own, for a token is good at one of them alone."""
        return tuple(route.original for route in self.routes if route.original.takes_our_login)

    def about(self, name: str) -> "Plan":
        """The part that speaks of one registry, and of those that stand in for it."""
        kept = [route for route in self.routes if route.original.name == name]
        names = {one.name for route in kept for one in route.tried}
        routes = tuple(route for route in self.routes if route.original.name in names)
        return replace(self, routes=routes, remarks=())


def plan_routes(registries: Iterable[ClientRegistry], location: str = "") -> Plan:
    """For clients at a location; without one every registry is asked under its own name."""
    rows = sorted(registries, key=lambda row: row.name)
    out = _unwritable(rows)
    rows = [row for row in rows if row.name not in out]
    if location:
        detours = [_route(original, rows, location, out) for original in rows if original.role == "primary"]
        routes = [route for route in detours if route.original.kind != "upstream" or not route.is_direct]
        routes += _alone(routes)
    else:
        routes = [Route(row, (row,)) for row in rows if row.kind != "upstream"]
    lacking = [
        f"The certificates of {route.original.name} are not among the files, for the portal cannot read them. Ask who runs it."
        for route in routes
        if route.original.lacks_certificates
    ]
    left_out = [f"{name} is left out: {reason}." for name, reason in sorted(out.items())]
    return Plan(location, tuple(routes), (*left_out, *lacking))


def _unwritable(rows: Sequence[ClientRegistry]) -> dict[str, str]:
    """Hosts become names of folders and keys of files: what is none stays out, and so does the second row about Docker Hub."""
    out: dict[str, str] = {}
    written: dict[str, str] = {}
    for row in rows:
        if not is_registry(row.host):
            out[row.name] = "its host is nothing that a client can write before the slash"
        elif row.written in written:
            out[row.name] = f"clients write {row.written} for it, as they do for {written[row.written]}"
        else:
            written[row.written] = row.name
    return out


def _alone(routes: Sequence[Route]) -> list[Route]:
    """Replicas and caches that stand in somewhere may also be named themselves."""
    known = {route.original.name for route in routes}
    used = {one.name: one for route in routes for one in route.tried if one.name not in known}
    return [Route(used[name], (used[name],)) for name in sorted(used)]


def _route(original: ClientRegistry, rows: Sequence[ClientRegistry], location: str, out: dict[str, str]) -> Route:
    """Replicas stand in, and caches of it or of those replicas; what may not is added to ``out``."""
    replicas = [row for row in rows if row.primary == original.name and _may_stand_in(row, original, out)]
    fronted = {original.name, *(row.name for row in replicas)}
    caches = [row for row in rows if row.fronts in fronted and _may_stand_in(row, original, out)]
    return Route(original, tuple(_in_order(original, replicas, caches, location)))


def _may_stand_in(row: ClientRegistry, original: ClientRegistry, out: dict[str, str]) -> bool:
    if row.role == "replica" and not row.is_following:
        out[row.name] = f"its replication is off, so it may lag behind {original.name}"
    elif _WORD.get(row.reach, 0) < _WORD.get(original.reach, 0):
        own, its = f"it is {row.reach}", f"{original.name} is {original.reach}"
        out[row.name] = f"{own} and {its}, so others might have put there what {original.name} never held"
    return row.name not in out


def _in_order(
    original: ClientRegistry, replicas: Sequence[ClientRegistry], caches: Sequence[ClientRegistry], location: str
) -> Iterator[ClientRegistry]:
    """Where the original stands here itself, it is as close as any replica, and never behind."""
    yield from (row for row in caches if row.location == location)
    if original.location == location:
        yield original
    yield from (row for row in replicas if row.location == location)
    if original.location != location:
        yield original
    yield from (row for row in replicas if row.location != location)
