"""What is on the map: zones, registries and the flows between them, as plain values."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

State = Literal["well", "attention", "broken", "unknown"]
FlowKind = Literal["promotion", "replication", "archive", "pull_through"]
Band = Literal["origin", "sandbox", "ci-tests", "ci-snapshots", "prod", "replicas"]

# Left to right, in the order an image travels.
BANDS: tuple[Band, ...] = ("origin", "sandbox", "ci-tests", "ci-snapshots", "prod", "replicas")
BAND_TITLES: dict[Band, str] = {
    "origin": "From outside",
    "sandbox": "Sandbox",
    "ci-tests": "CI tests",
    "ci-snapshots": "CI snapshots",
    "prod": "Prod",
    "replicas": "Replicas",
}
FLOW_WORDS: dict[FlowKind, str] = {
    "promotion": "promotion",
    "replication": "replication",
    "archive": "import",
    "pull_through": "pull-through",
}


@dataclass(frozen=True, slots=True)
class MapZone:
    """A zone and who may do what in it, in a few words."""

    name: str
    title: str
    kind: str
    band: Band
    concern: str = ""
    pulls: str = ""
    pushes: str = ""


@dataclass(frozen=True, slots=True)
class MapRegistry:
    """One card. ``primary`` and ``fronts`` name other registries; figures are None while nobody has counted."""

    name: str
    title: str
    url: str
    zone: str
    location: str = ""
    product: str = ""
    reach: str = "observed"
    health_state: State = "unknown"
    health_word: str = "not looked at yet"
    repositories: int | None = None
    size_bytes: int | None = None
    synced_at: datetime | None = None
    primary: str = ""
    fronts: str = ""


@dataclass(frozen=True, slots=True)
class MapFlow:
    """One arrow: what travels from ``source`` to ``target``, and how it goes."""

    kind: FlowKind
    source: str
    target: str
    label: str = ""
    state: State = "well"
    url: str = ""

    @property
    def word(self) -> str:
        return FLOW_WORDS[self.kind]

    @property
    def needs_a_look(self) -> bool:
        return self.state in ("attention", "broken")


@dataclass(frozen=True, slots=True)
class RegistryMap:
    """Everything the picture, its narrow form and its text are drawn from."""

    zones: tuple[MapZone, ...] = ()
    registries: tuple[MapRegistry, ...] = ()
    flows: tuple[MapFlow, ...] = field(default=())

    def registry(self, name: str) -> MapRegistry | None:
        return next((registry for registry in self.registries if registry.name == name), None)

    def zone(self, name: str) -> MapZone | None:
        return next((zone for zone in self.zones if zone.name == name), None)

    def flows_from(self, name: str) -> tuple[MapFlow, ...]:
        return tuple(flow for flow in self.flows if flow.source == name)
