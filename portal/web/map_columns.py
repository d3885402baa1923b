"""In which band does a registry stand, and in what order from top to bottom? Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from portal.web.map_model import BAND_TITLES, BANDS, Band, MapRegistry, MapZone, RegistryMap


@dataclass(frozen=True, slots=True)
class Group:
    """Registries of a band that belong together: of one location among replicas, of one zone elsewhere."""

    title: str
    registries: tuple[MapRegistry, ...]
    hanging: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Column:
    """One band with its groups, top to bottom."""

    band: Band
    title: str
    zones: tuple[MapZone, ...]
    groups: tuple[Group, ...]

    @property
    def is_closed(self) -> bool:
        """Whether nothing leaves."""
        return self.band == "sandbox"


def columns_of(model: RegistryMap) -> tuple[Column, ...]:
    """The bands that have something to show, left to right."""
    bands = {registry.name: band_of(registry, model) for registry in model.registries}
    found = []
    for band in BANDS:
        registries = [registry for registry in model.registries if bands[registry.name] == band]
        zones = tuple(zone for zone in model.zones if zone.band == band and zone.kind != "cache")
        if registries or zones:
            found.append(Column(band, _title(band, zones), zones, tuple(_groups(band, zones, registries))))
    return tuple(found)


def band_of(registry: MapRegistry, model: RegistryMap) -> Band:
    """A cache stands with what it fronts, a replica of prod among the replicas, all others with their zone."""
    seen = {registry.name}
    front = registry
    while front.fronts and front.fronts not in seen:
        seen.add(front.fronts)
        behind = model.registry(front.fronts)
        if behind is None:
            break
        front = behind
    zone = model.zone(front.zone)
    band: Band = zone.band if zone else "origin"
    return "replicas" if band == "prod" and front.primary else band


def _title(band: Band, zones: tuple[MapZone, ...]) -> str:
    if band == "origin" and len({zone.kind for zone in zones}) == 1:
        return zones[0].title or zones[0].name
    return BAND_TITLES[band]


def _groups(band: Band, zones: tuple[MapZone, ...], registries: list[MapRegistry]) -> Iterable[Group]:
    heads = [registry for registry in registries if not _hangs(registry, registries)]
    hanging = frozenset(registry.name for registry in registries) - {head.name for head in heads}
    if band == "replicas":
        for location in sorted({head.location for head in heads}):
            members = [head for head in heads if head.location == location]
            yield Group(location or "no location", tuple(_with_hangers(members, registries)), hanging)
        return
    # The archive is what the upstreams feed, so it stands first and the arrow from them is short.
    names = [zone.name for zone in sorted(zones, key=lambda zone: zone.kind == "upstream")]
    by_zone = {name: [head for head in heads if head.zone == name] for name in names}
    strays = [head for head in heads if head.zone not in by_zone]
    titles = {zone.name: zone.title or zone.name for zone in zones}
    filled = [(titles[name], members) for name, members in by_zone.items() if members]
    if strays:
        filled.append(("", strays))
    shows_titles = band != "origin" and len(filled) > 1
    for title, members in filled:
        yield Group(title if shows_titles else "", tuple(_with_hangers(members, registries)), hanging)


def _hangs(registry: MapRegistry, registries: list[MapRegistry]) -> bool:
    names = {other.name for other in registries if other is not registry}
    return bool(_parent(registry)) and _parent(registry) in names and not _is_circle(registry, registries)


def _parent(registry: MapRegistry) -> str:
    return registry.fronts or registry.primary


def _is_circle(registry: MapRegistry, registries: list[MapRegistry]) -> bool:
    by_name = {other.name: other for other in registries}
    seen: set[str] = set()
    here: MapRegistry | None = registry
    while here is not None and here.name not in seen:
        seen.add(here.name)
        here = by_name.get(_parent(here))
    return here is not None


def _with_hangers(heads: Iterable[MapRegistry], registries: list[MapRegistry]) -> Iterable[MapRegistry]:
    """Each registry, then the caches on it, then its replicas in the same band."""
    for head in heads:
        yield head
        below = [other for other in registries if other is not head and _parent(other) == head.name]
        below = [other for other in below if _hangs(other, registries)]
        yield from _with_hangers(sorted(below, key=lambda other: (not other.fronts, other.name)), registries)
