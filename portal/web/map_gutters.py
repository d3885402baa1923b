"""How wide is each gap between bands, and on which track of it does an arrow turn? Pure.

Gap ``i`` lies left of band ``i``. Tracks lie on its left side, labels on its right, so that no vertical line meets a label."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.web.map_model import MapFlow
from portal.web.map_ports import Ports
from portal.web.map_routes import Route
from portal.web.text_width import text_width

PLAIN, SIDE, TRACK, HEAD = 10.0, 12.0, 11.0, 12.0
LABEL_MOST = 136.0
LABEL_SIZE = 11.5
LANE_FIRST, LANE_STEP, LANE_LAST = 30.0, 30.0, 12.0


@dataclass(frozen=True, slots=True)
class Gutters:
    """``tracks``: by (gap, position in routes), the offset from the gap's left edge. ``lanes``: height of each lane route."""

    widths: tuple[float, ...]
    label_widths: tuple[float, ...]
    tracks: Mapping[tuple[int, int], float]
    lanes: Mapping[int, float] = field(default_factory=dict)
    lanes_height: float = 0


def plan_gutters(routes: tuple[Route, ...], ports: Ports, bands: int, *, first_lane: float) -> Gutters:
    lanes, count = _plan_lanes(routes, first_lane)
    tracks: dict[tuple[int, int], float] = {}
    widths, label_widths = [], []
    for gap in range(bands + 1):
        order = _track_order(gap, routes, ports)
        tracks |= {(gap, index): SIDE + TRACK * place for place, index in enumerate(order)}
        labels = [label_width(route.flow) for route in routes if route.way == "gutter" and route.target.column == gap]
        label_widths.append(max(labels, default=0))
        widths.append(_width(gap, bands, len(order), label_widths[-1]))
    lanes_height = LANE_FIRST + LANE_STEP * (count - 1) + LANE_LAST if count else 0
    return Gutters(tuple(widths), tuple(label_widths), tracks, lanes, lanes_height)


def label_width(flow: MapFlow) -> float:
    """Room for a label of two lines."""
    sign = 15 if flow.needs_a_look else 0
    return min(LABEL_MOST, max(text_width(flow.word, LABEL_SIZE, bold=True), text_width(flow.label, LABEL_SIZE) + sign))


def _width(gap: int, bands: int, tracks: int, label: float) -> float:
    if not tracks and not label:
        return 0 if gap in (0, bands) else PLAIN
    lead = SIDE + TRACK * (tracks - 1) + 8 if tracks else 4
    return lead + (label + HEAD if label else HEAD)


def _track_order(gap: int, routes: tuple[Route, ...], ports: Ports) -> list[int]:
    """Tracks from left to right: those going down with the highest rightmost, those going up the other way round, arrivals last.

    So two arrows of one direction never cross each other in the gap."""
    down: list[tuple[float, int]] = []
    up: list[tuple[float, int]] = []
    arriving: list[int] = []
    for index, route in enumerate(routes):
        if route.way == "gutter" and route.target.column == gap:
            bend = ports.arrives[index] - ports.leaves[index]
            if bend > 0.5:
                down.append((-ports.leaves[index], index))
            elif bend < -0.5:
                up.append((ports.leaves[index], index))
        elif route.way == "lane" and route.source.column + 1 == gap:
            down.append((-ports.leaves[index], index))
        if route.way == "lane" and route.target.column == gap:
            arriving.append(index)
    return [index for _, index in sorted(down)] + [index for _, index in sorted(up)] + arriving


def _plan_lanes(routes: tuple[Route, ...], first: float) -> tuple[dict[int, float], int]:
    """A lane for each route that needs one; routes whose ways do not overlap share."""
    ends: list[list[tuple[int, int]]] = []
    lanes: dict[int, float] = {}
    wanting = [
        (min(_reach(route)), max(_reach(route)), index) for index, route in enumerate(routes) if route.way == "lane"
    ]
    for start, end, index in sorted(wanting):
        lane = next((i for i, used in enumerate(ends) if all(end < a or b < start for a, b in used)), len(ends))
        if lane == len(ends):
            ends.append([])
        ends[lane].append((start, end))
        lanes[index] = first + LANE_FIRST + LANE_STEP * lane
    return lanes, len(ends)


def _reach(route: Route) -> tuple[int, int]:
    return route.source.column + 1, route.target.column
