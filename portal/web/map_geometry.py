"""Boxes, lines and labels of the picture. Pure; pixels, origin at the top left."""

from dataclasses import dataclass

from portal.web.map_model import MapFlow, MapRegistry
from portal.web.text_width import text_width

Point = tuple[float, float]
SEAL_TEXT = "nothing leaves"


@dataclass(frozen=True, slots=True)
class Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    def meets(self, other: "Box", *, margin: float = 0) -> bool:
        """Whether the two share any area."""
        return (
            self.x < other.right + margin
            and other.x < self.right + margin
            and self.y < other.bottom + margin
            and other.y < self.bottom + margin
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text on a card or a band. ``sign`` is an icon drawn before it."""

    x: float
    y: float
    text: str
    style: str
    sign: str = ""
    is_end: bool = False
    time: str = ""
    before: str = ""

    @property
    def text_x(self) -> float:
        return self.x + 17 if self.sign else self.x

    @property
    def sign_y(self) -> float:
        return self.y - 10.5


@dataclass(frozen=True, slots=True)
class Card:
    registry: MapRegistry
    box: Box
    column: int
    lines: tuple[Line, ...]
    title: str


@dataclass(frozen=True, slots=True)
class Band:
    name: str
    box: Box
    lines: tuple[Line, ...]
    is_closed: bool = False

    @property
    def inner(self) -> Box:
        """The second line of a closed border."""
        return Box(self.box.x + 4.5, self.box.y + 4.5, self.box.width - 9, self.box.height - 9)

    @property
    def seal(self) -> Box:
        """The plaque on the lower border that says that nothing leaves."""
        width = text_width(SEAL_TEXT, 11.5, bold=True) + 41
        return Box(self.box.x + (self.box.width - width) / 2, self.box.bottom - 35, width, 24)

    @property
    def seal_line(self) -> Line:
        return Line(self.seal.x + 12, self.seal.y + 16, SEAL_TEXT, "seal-text", sign="lock")


@dataclass(frozen=True, slots=True)
class Label:
    """Two short lines on an arrow: what it is, how it goes."""

    box: Box
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    flow: MapFlow
    points: tuple[Point, ...]
    label: Label
    title: str

    @property
    def path(self) -> str:
        return rounded_path(self.points)

    @property
    def head(self) -> str:
        """The arrow's head as polygon points."""
        (x0, y0), (x, y) = self.points[-2:]
        dx, dy = _sign(x - x0), _sign(y - y0)
        corners = (
            (x, y),
            (x - 8 * dx - 4.5 * dy, y - 8 * dy - 4.5 * dx),
            (x - 8 * dx + 4.5 * dy, y - 8 * dy + 4.5 * dx),
        )
        return " ".join(f"{_n(a)},{_n(b)}" for a, b in corners)


@dataclass(frozen=True, slots=True)
class MapLayout:
    width: float
    height: float
    bands: tuple[Band, ...]
    cards: tuple[Card, ...]
    arrows: tuple[Arrow, ...]


def rounded_path(points: tuple[Point, ...], radius: float = 9) -> str:
    """An SVG path along the points with round corners."""
    start = points[0]
    parts = [f"M{_n(start[0])} {_n(start[1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        bend = min(radius, _distance(before, corner) / 2, _distance(corner, after) / 2)
        entry, leave = _toward(corner, before, bend), _toward(corner, after, bend)
        parts.append(f"L{_n(entry[0])} {_n(entry[1])}Q{_n(corner[0])} {_n(corner[1])} {_n(leave[0])} {_n(leave[1])}")
    parts.append(f"L{_n(points[-1][0])} {_n(points[-1][1])}")
    return "".join(parts)


def straight(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """The same way without doubled points and without corners that do not turn."""
    kept: list[Point] = []
    for point in points:
        if kept and _distance(kept[-1], point) < 0.5:
            continue
        if len(kept) > 1 and _is_on_line(kept[-2], kept[-1], point):
            kept[-1] = point
        else:
            kept.append(point)
    return tuple(kept)


def _is_on_line(a: Point, b: Point, c: Point) -> bool:
    return (abs(a[0] - b[0]) < 0.5 and abs(b[0] - c[0]) < 0.5) or (abs(a[1] - b[1]) < 0.5 and abs(b[1] - c[1]) < 0.5)


def _distance(a: Point, b: Point) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _toward(start: Point, end: Point, step: float) -> Point:
    return start[0] + step * _sign(end[0] - start[0]), start[1] + step * _sign(end[1] - start[1])


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
