"""What stands on a card and at the head of a band? Pure: lines of text with their places, fitted to the width."""

from dataclasses import dataclass

from portal.web.map_columns import Column
from portal.web.map_geometry import Line
from portal.web.map_model import MapRegistry, MapZone
from portal.web.signs import count_text, size_text
from portal.web.text_width import fit, text_width, wrap

INSET = 12
SIGN = 17
NAME, TEXT = 14, 11.5
STATE_WORDS = {"well": "well", "attention": "attention", "broken": "broken", "unknown": "unknown"}


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines placed from (0, 0), and how high they are together."""

    lines: tuple[Line, ...]
    height: float


def card_lines(registry: MapRegistry, width: float) -> Lines:
    inner = width - 2 * INSET
    place = " · ".join(part for part in (product_title(registry.product), registry.location) if part)
    lines = [
        Line(INSET, 24, fit(registry.name, inner, NAME, bold=True), "card-name"),
        Line(INSET, 41, fit(place, inner, TEXT), "card-place"),
        Line(
            INSET,
            63,
            STATE_WORDS[registry.health_state],
            f"card-state is-{registry.health_state}",
            sign=registry.health_state,
        ),
    ]
    y = 63.0
    taken = 2 * SIGN + text_width(registry.health_state + registry.reach, TEXT) + 8
    if taken <= inner:
        reach_x = width - INSET - SIGN - text_width(registry.reach, TEXT)
    else:
        reach_x, y = INSET, y + 18
    lines.append(Line(reach_x, y, registry.reach, "card-reach", sign=registry.reach))
    rest = _figures(registry, width, y + 21)
    return Lines((*lines, *rest), rest[-1].y + 14)


def _figures(registry: MapRegistry, width: float, y: float) -> tuple[Line, ...]:
    inner = width - 2 * INSET
    return (*_counted(registry, inner, y), *_last(registry, inner, y + 16))


def _counted(registry: MapRegistry, inner: float, y: float) -> tuple[Line, ...]:
    if registry.repositories is None:
        return (Line(INSET, y, "not counted yet", "card-text is-faint"),)
    size = size_text(registry.size_bytes) if registry.size_bytes is not None else ""
    count = count_text(registry.repositories, "repository", "repositories")
    if text_width(count + size, TEXT) + 8 > inner:
        count = count_text(registry.repositories, "repo", "repos")
    return Line(INSET, y, count, "card-text"), Line(INSET + inner, y, size, "card-text", is_end=True)


def _last(registry: MapRegistry, inner: float, y: float) -> tuple[Line, ...]:
    """What is wrong, else when it was read."""
    if registry.health_state in ("attention", "broken"):
        style = f"card-text is-{registry.health_state}"
        rows = wrap(registry.health_word, inner, TEXT, 2)
        return tuple(Line(INSET, y + 16 * row, text, style) for row, text in enumerate(rows))
    if registry.synced_at:
        return (Line(INSET, y, "", "card-text is-faint", time=registry.synced_at.isoformat(), before="synced "),)
    return (Line(INSET, y, "never synced", "card-text is-faint"),)


def card_title(registry: MapRegistry) -> str:
    """The whole card in one sentence, for hovering and for screen readers."""
    parts = [
        f"{registry.name}: {registry.title}" if registry.title and registry.title != registry.name else registry.name,
        " in ".join(part for part in (product_title(registry.product), registry.location) if part),
        registry.reach,
        f"{registry.health_state} ({registry.health_word})" if registry.health_word else registry.health_state,
    ]
    if registry.repositories is not None:
        parts.append(count_text(registry.repositories, "repository", "repositories"))
    if registry.size_bytes is not None:
        parts.append(size_text(registry.size_bytes))
    return ", ".join(part for part in parts if part)


PRODUCT_TITLES = {
    "distribution": "Distribution",
    "generic": "OCI registry",
    "zot": "zot",
    "harbor": "Harbor",
    "quay": "Quay",
    "dockerhub": "Docker Hub",
    "artifactory": "Artifactory",
    "nexus": "Nexus",
    "gitlab": "GitLab",
    "ghcr": "GHCR",
    "ecr": "ECR",
    "gar": "GAR",
    "acr": "ACR",
}


def product_title(product: str) -> str:
    """The make's own spelling."""
    return PRODUCT_TITLES.get(product, product)


def band_lines(column: Column, width: float) -> Lines:
    """Title, what the band is for, and who pulls and pushes when one zone answers for all of it."""
    inner = width - 2 * INSET
    lines = [Line(INSET, 24, fit(column.title, inner, 13, bold=True), "band-title")]
    y = 41.0
    if len(column.zones) == 1:
        lines += _zone_lines(column.zones[0], inner, y)
    else:
        concern = {
            "origin": "upstreams, and what we keep of them, pinned",
            "replicas": "prod again, near those who pull",
        }
        lines += [
            Line(INSET, y + 15 * row, text, "band-text")
            for row, text in enumerate(wrap(concern.get(column.band, ""), inner, TEXT, 2))
        ]
    return Lines(tuple(lines), lines[-1].y + 12)


def _zone_lines(zone: MapZone, inner: float, y: float) -> list[Line]:
    lines = [
        Line(INSET, y + 15 * row, text, "band-text") for row, text in enumerate(wrap(zone.concern, inner, TEXT, 2))
    ]
    y += 15 * len(lines) + (4 if lines else 0)
    for word, sign in ((zone.pulls, "pull"), (zone.pushes, "push")):
        if word:
            lines.append(Line(INSET, y, fit(word, inner - SIGN, TEXT), "band-text", sign=sign))
            y += 17
    return lines
