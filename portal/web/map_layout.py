"""Where does everything on the map stand? Pure: a model in, boxes, lines and arrows in pixels out.

First heights (they depend on how many arrows meet a card), then gaps between bands (on how many arrows pass), then the arrows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from portal.web.map_arrows import Sites, draw_arrows
from portal.web.map_cards import INSET, Lines, band_lines, card_lines, card_title
from portal.web.map_columns import Column, Group, columns_of
from portal.web.map_geometry import Band, Box, Card, Line, MapLayout
from portal.web.map_gutters import Gutters, plan_gutters
from portal.web.map_model import RegistryMap
from portal.web.map_ports import plan_ports
from portal.web.map_routes import DEEPEST, Place, Route, places_of, routes_of

CARD_WIDTH = 166
PAD = 10
INDENT = 18
GAP, HANG_GAP, STEP_GAP, GROUP_TITLE = 14, 30, 48, 26
PORT_ROOM = 38
EDGE = 2
SEAL_ROOM = 34
BAND_WIDTH = CARD_WIDTH + 2 * PAD


@dataclass(frozen=True, slots=True)
class Row:
    """A card or the title of a group, placed from the top of its column."""

    name: str
    y: float
    height: float
    title: str = ""


def lay_out(model: RegistryMap) -> MapLayout:
    """The whole picture."""
    columns = columns_of(model)
    places = places_of(columns)
    routes = routes_of(model, places)
    heads = [band_lines(column, BAND_WIDTH) for column in columns]
    head = max((lines.height for lines in heads), default=0)
    stacks = [_stack(column, places, routes) for column in columns]
    body = max((_stack_height(stack) for stack in stacks), default=0)
    height = head + body + 2 * PAD + SEAL_ROOM
    stacks = [_centred(stack, EDGE + head + PAD, body) for stack in stacks]
    spans = {row.name: (row.y, row.height) for stack in stacks for row in stack if not row.title}
    ports = plan_ports(routes, spans)
    gutters = plan_gutters(routes, ports, len(columns), first_lane=EDGE + height)
    lefts = _lefts(gutters, len(columns))
    boxes = {name: _card_box(places[name], lefts, top, tall) for name, (top, tall) in spans.items()}
    bands = tuple(
        _band(column, Box(left, EDGE, BAND_WIDTH, height), band_head, stack)
        for column, left, band_head, stack in zip(columns, lefts, heads, stacks, strict=True)
    )
    cards = tuple(_card(model, name, box, places[name]) for name, box in boxes.items())
    arrows = draw_arrows(routes, Sites(boxes, lefts, BAND_WIDTH, gutters, ports))
    width = EDGE * 2 + sum(gutters.widths) + BAND_WIDTH * len(columns)
    return MapLayout(width, EDGE * 2 + height + gutters.lanes_height, bands, cards, arrows)


def _stack(column: Column, places: Mapping[str, Place], routes: tuple[Route, ...]) -> list[Row]:
    """Cards and titles of a band from the top, with room for what is drawn between them."""
    rows: list[Row] = []
    y = 0.0
    for group in column.groups:
        if group.title:
            y += 0 if not rows else 4
            rows.append(Row(group.title, y + GROUP_TITLE - 10, 0, title=group.title))
            y += GROUP_TITLE
        y = _stack_group(group, rows, y, places, routes)
    return rows


def _stack_group(
    group: Group, rows: list[Row], y: float, places: Mapping[str, Place], routes: tuple[Route, ...]
) -> float:
    for index, registry in enumerate(group.registries):
        if index or (rows and not rows[-1].title):
            y += _gap(registry.name, rows[-1].name, routes)
        height = _card_height(registry.name, card_lines(registry, _card_width(places[registry.name])).height, routes)
        rows.append(Row(registry.name, y, height))
        y += height
    return y + (GAP if group.title else 0)


def _gap(name: str, above: str, routes: tuple[Route, ...]) -> float:
    between = [
        route for route in routes if route.way == "step" and {route.flow.source, route.flow.target} == {name, above}
    ]
    if between:
        return STEP_GAP
    return HANG_GAP if any(route.way == "hang" and route.flow.target == name for route in routes) else GAP


def _card_height(name: str, wanted: float, routes: tuple[Route, ...]) -> float:
    leaving = sum(1 for route in routes if route.way in ("gutter", "lane") and route.flow.source == name)
    arriving = sum(1 for route in routes if route.way in ("gutter", "lane") and route.flow.target == name)
    return max(wanted, PORT_ROOM * (max(leaving, arriving) + 1))


def _centred(stack: list[Row], top: float, body: float) -> list[Row]:
    """The stack in the middle of the room that the highest one needs, so that the main road runs straight."""
    offset = top + (body - _stack_height(stack)) / 2
    return [replace(row, y=row.y + offset) for row in stack]


def _stack_height(stack: list[Row]) -> float:
    return max((row.y + row.height for row in stack), default=0)


def _card_width(place: Place) -> float:
    return CARD_WIDTH - INDENT * min(place.depth, DEEPEST)


def _lefts(gutters: Gutters, count: int) -> list[float]:
    lefts = []
    x = float(EDGE)
    for index in range(count):
        x += gutters.widths[index]
        lefts.append(x)
        x += BAND_WIDTH
    return lefts


def _card_box(place: Place, lefts: list[float], top: float, height: float) -> Box:
    width = _card_width(place)
    return Box(lefts[place.column] + PAD + CARD_WIDTH - width, top, width, height)


def _card(model: RegistryMap, name: str, box: Box, place: Place) -> Card:
    registry = model.registry(name)
    if registry is None:  # places come from the same model
        raise LookupError(name)
    lines = tuple(_moved(line, box.x, box.y) for line in card_lines(registry, box.width).lines)
    return Card(registry, box, place.column, lines, card_title(registry))


def _band(column: Column, box: Box, head: Lines, stack: list[Row]) -> Band:
    titles = tuple(Line(box.x + INSET, row.y, row.title, "band-group") for row in stack if row.title)
    return Band(column.band, box, tuple(_moved(line, box.x, box.y) for line in head.lines) + titles, column.is_closed)


def _moved(line: Line, x: float, y: float) -> Line:
    return Line(line.x + x, line.y + y, line.text, line.style, line.sign, line.is_end, line.time, line.before)
