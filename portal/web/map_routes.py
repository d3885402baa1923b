"""Which way does each flow take? Pure: only places in the grid, no pixels.

``hang``: to what hangs below its source in the same band. ``step``: to the neighbour above or below. ``gutter``: through the gap
to the next band. ``lane``: down, along a lane below all bands, and up again; the way for everything that would cross a card."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from portal.web.map_columns import Column
from portal.web.map_model import MapFlow, MapRegistry, RegistryMap

DEEPEST = 3  # what hangs deeper is indented no further
Way = Literal["hang", "step", "gutter", "lane"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card stands: its band, its row from the top, how deep it hangs."""

    column: int
    row: int
    depth: int
    parent: str


@dataclass(frozen=True, slots=True)
class Route:
    flow: MapFlow
    way: Way
    source: Place
    target: Place

    @property
    def is_downward(self) -> bool:
        return self.target.row > self.source.row


def places_of(columns: tuple[Column, ...]) -> dict[str, Place]:
    """Where every card stands."""
    places: dict[str, Place] = {}
    for index, column in enumerate(columns):
        cards = [(registry, registry.name in group.hanging) for group in column.groups for registry in group.registries]
        here: dict[str, Place] = {}
        for row, (registry, is_hanging) in enumerate(cards):
            parent = _parent(registry)
            above = here.get(parent) if is_hanging else None
            here[registry.name] = Place(index, row, above.depth + 1 if above else 0, parent if above else "")
        places |= here
    return places


def _parent(registry: MapRegistry) -> str:
    return registry.fronts or registry.primary


def routes_of(model: RegistryMap, places: Mapping[str, Place]) -> tuple[Route, ...]:
    """A way for every flow whose two ends are on the map."""
    routes: list[Route] = []
    taken: set[frozenset[str]] = set()
    for flow in model.flows:
        source, target = places.get(flow.source), places.get(flow.target)
        if source is None or target is None or flow.source == flow.target:
            continue
        pair = frozenset((flow.source, flow.target))
        way = _way(flow, source, target, is_first=pair not in taken)
        taken.add(pair)
        routes.append(Route(flow, way, source, target))
    return tuple(routes)


def _way(flow: MapFlow, source: Place, target: Place, *, is_first: bool) -> Way:
    if source.column == target.column and is_first:
        if target.parent == flow.source and target.depth <= DEEPEST:
            return "hang"
        if abs(source.row - target.row) == 1 and source.depth == target.depth == 0:
            return "step"
    return "gutter" if target.column == source.column + 1 else "lane"
