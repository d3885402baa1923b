"""At what height does each arrow leave and reach a card? Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.web.map_routes import Route

Span = tuple[float, float]  # top and height of a card
MARGIN = 20


@dataclass(frozen=True, slots=True)
class Ports:
    """Heights by position in the routes."""

    leaves: Mapping[int, float]
    arrives: Mapping[int, float]


def plan_ports(routes: tuple[Route, ...], spans: Mapping[str, Span]) -> Ports:
    """Spread evenly along the card's side, in the order of the other ends; a lone arrow comes in as straight as it can."""
    travelling = [index for index, route in enumerate(routes) if route.way in ("gutter", "lane")]
    leaves = _spread(
        {i: routes[i].flow.source for i in travelling},
        {i: _far_end(routes[i], routes[i].flow.target, spans) for i in travelling},
        spans,
    )
    arrives = _spread(
        {i: routes[i].flow.target for i in travelling},
        {i: _far_end(routes[i], routes[i].flow.source, spans) for i in travelling},
        spans,
    )
    for index in travelling:
        route = routes[index]
        if route.way == "gutter" and _is_alone(index, route.flow.target, arrives, routes):
            top, height = spans[route.flow.target]
            arrives[index] = min(max(leaves[index], top + MARGIN), top + height - MARGIN)
    return Ports(leaves, arrives)


def _far_end(route: Route, name: str, spans: Mapping[str, Span]) -> float:
    """Where the other end lies; what comes by a lane comes from below."""
    top, height = spans[name]
    return top + height / 2 if route.way == "gutter" else 1e9


def _spread(ends: Mapping[int, str], far: Mapping[int, float], spans: Mapping[str, Span]) -> dict[int, float]:
    heights: dict[int, float] = {}
    for name in set(ends.values()):
        mine = sorted((index for index, end in ends.items() if end == name), key=lambda index: (far[index], index))
        top, height = spans[name]
        heights |= {index: top + height * (place + 1) / (len(mine) + 1) for place, index in enumerate(mine)}
    return heights


def _is_alone(index: int, target: str, arrives: Mapping[int, float], routes: tuple[Route, ...]) -> bool:
    return not any(other != index and routes[other].flow.target == target for other in arrives)
