"""Along which points does each arrow run, and where does its label stand? Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.web.map_geometry import Arrow, Box, Label, Line, Point, straight
from portal.web.map_gutters import HEAD, LABEL_SIZE, Gutters, label_width
from portal.web.map_model import MapFlow
from portal.web.map_ports import Ports
from portal.web.map_routes import Route
from portal.web.text_width import fit, text_width

SPINE = 8
STEP_X = 24


@dataclass(frozen=True, slots=True)
class Sites:
    """What has been placed so far."""

    boxes: Mapping[str, Box]
    lefts: Sequence[float]
    band_width: float
    gutters: Gutters
    ports: Ports

    def gap_left(self, gap: int) -> float:
        """Where the gap left of a band begins."""
        if gap < len(self.lefts):
            return self.lefts[gap] - self.gutters.widths[gap]
        return self.lefts[-1] + self.band_width

    def track(self, gap: int, index: int) -> float | None:
        offset = self.gutters.tracks.get((gap, index))
        return None if offset is None else self.gap_left(gap) + offset


def draw_arrows(routes: tuple[Route, ...], sites: Sites) -> tuple[Arrow, ...]:
    return tuple(_draw(index, route, sites) for index, route in enumerate(routes))


def _draw(index: int, route: Route, sites: Sites) -> Arrow:
    ways = {"hang": _hang, "step": _step, "gutter": _gutter, "lane": _lane}
    points, label = ways[route.way](index, route, sites)
    return Arrow(route.flow, straight(points), label, flow_title(route.flow))


def flow_title(flow: MapFlow) -> str:
    """The arrow in one sentence."""
    state = f" ({flow.state})" if flow.needs_a_look else ""
    return f"{flow.word} from {flow.source} to {flow.target}{': ' if flow.label else ''}{flow.label}{state}"


def _hang(index: int, route: Route, sites: Sites) -> tuple[tuple[Point, ...], Label]:
    source, target = sites.boxes[route.flow.source], sites.boxes[route.flow.target]
    x = source.x + SPINE
    points = ((x, source.bottom), (x, target.middle), (target.x, target.middle))
    return points, _one_line(route.flow, target.x, target.y - 9, target.width)


def _step(index: int, route: Route, sites: Sites) -> tuple[tuple[Point, ...], Label]:
    source, target = sites.boxes[route.flow.source], sites.boxes[route.flow.target]
    x = max(source.x, target.x) + STEP_X
    start, end = (source.bottom, target.y) if route.is_downward else (source.y, target.bottom)
    return ((x, start), (x, end)), _two_lines(route.flow, x + 9, (start + end) / 2, source.width - STEP_X - 12)


def _gutter(index: int, route: Route, sites: Sites) -> tuple[tuple[Point, ...], Label]:
    source, target = sites.boxes[route.flow.source], sites.boxes[route.flow.target]
    start, end = sites.ports.leaves[index], sites.ports.arrives[index]
    gap = route.target.column
    track = sites.track(gap, index)
    turn = source.right if track is None else track
    points = ((source.right, start), (turn, start), (turn, end), (target.x, end))
    room = sites.gutters.label_widths[gap]
    label_x = sites.lefts[gap] - HEAD - room
    return points, _two_lines(route.flow, label_x + (room - label_width(route.flow)) / 2, end, room)


def _lane(index: int, route: Route, sites: Sites) -> tuple[tuple[Point, ...], Label]:
    source, target = sites.boxes[route.flow.source], sites.boxes[route.flow.target]
    out = sites.track(route.source.column + 1, index) or source.right
    into = sites.track(route.target.column, index) or target.x
    lane = sites.gutters.lanes[index]
    start, end = sites.ports.leaves[index], sites.ports.arrives[index]
    points = ((source.right, start), (out, start), (out, lane), (into, lane), (into, end), (target.x, end))
    # Below a band, where no other arrow turns.
    between = [left for left in sites.lefts if min(out, into) <= left and left + sites.band_width <= max(out, into)]
    left = between[len(between) // 2] if between else min(out, into)
    return points, _one_line(route.flow, left + 8, lane - 7, sites.band_width - 16)


def _one_line(flow: MapFlow, x: float, y: float, room: float) -> Label:
    sign = 17 if flow.needs_a_look else 0
    text = fit(f"{flow.word} · {flow.label}" if flow.label else flow.word, room - sign, LABEL_SIZE)
    line = Line(x, y, text, f"flow-text is-{flow.state}", sign=flow.state if sign else "")
    return Label(Box(x, y - 12, text_width(text, LABEL_SIZE) + sign, 15), (line,))


def _two_lines(flow: MapFlow, x: float, middle: float, room: float) -> Label:
    """The word above the arrow, how it goes below it."""
    sign = 17 if flow.needs_a_look else 0
    word = Line(x, middle - 6, fit(flow.word, room, LABEL_SIZE, bold=True), "flow-word")
    lines = [word]
    if flow.label:
        text = fit(flow.label, room - sign + 2, LABEL_SIZE)
        lines.append(Line(x, middle + 15, text, f"flow-text is-{flow.state}", sign=flow.state if sign else ""))
    return Label(Box(x, middle - 17, min(room, label_width(flow)), 35 if flow.label else 14), tuple(lines))
