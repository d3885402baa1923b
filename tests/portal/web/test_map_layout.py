"""The picture: everything has a place, and nothing runs over anything else, whatever the company looks like."""

from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.web.map_columns import band_of, columns_of
from portal.web.map_geometry import Arrow, Box, MapLayout
from portal.web.map_layout import lay_out
from portal.web.map_model import MapFlow, RegistryMap
from tests.portal.web.sample_map import FLOWS, NINE, REGISTRIES, ZONES, registry


def box_of(layout: MapLayout, name: str) -> Box:
    return next(card.box for card in layout.cards if card.registry.name == name)


def arrow(layout: MapLayout, source: str, target: str) -> Arrow:
    return next(arrow for arrow in layout.arrows if (arrow.flow.source, arrow.flow.target) == (source, target))


def segments(arrow: Arrow) -> list[Box]:
    """Each straight part as a box without thickness."""
    return [
        Box(min(a[0], b[0]), min(a[1], b[1]), abs(a[0] - b[0]), abs(a[1] - b[1])) for a, b in pairwise(arrow.points)
    ]


def crosses(segment: Box, card: Box) -> bool:
    """Whether a line runs inside a card; touching its edge is how arrows end."""
    inner = Box(card.x + 1, card.y + 1, card.width - 2, card.height - 2)
    return segment.meets(inner)


def check(layout: MapLayout) -> None:
    for one, other in combinations([card.box for card in layout.cards], 2):
        assert not one.meets(other)
    for run in layout.arrows:
        for segment in segments(run):
            assert segment.width < 0.5 or segment.height < 0.5, "arrows run level or upright"
            assert not any(crosses(segment, card.box) for card in layout.cards), run.title
    labels = [run.label.box for run in layout.arrows]
    for one, other in combinations(labels, 2):
        assert not one.meets(other)
    for label in labels:
        assert not any(label.meets(card.box) for card in layout.cards)
    for box in [band.box for band in layout.bands] + [card.box for card in layout.cards] + labels:
        assert box.x >= 0
        assert box.y >= 0
        assert box.right <= layout.width + 0.5
        assert box.bottom <= layout.height + 0.5


def test_bands_stand_in_the_order_an_image_travels() -> None:
    layout = lay_out(NINE)
    assert [band.name for band in layout.bands] == ["origin", "sandbox", "ci-tests", "ci-snapshots", "prod", "replicas"]
    lefts = [band.box.x for band in layout.bands]
    assert lefts == sorted(lefts)
    assert len(layout.cards) == 9
    check(layout)


def test_the_road_to_prod_is_straight() -> None:
    run = arrow(lay_out(NINE), "ci-snapshots", "prod")
    assert len(run.points) == 2
    assert run.points[0][1] == run.points[1][1]


def test_replicas_are_grouped_by_location() -> None:
    column = next(column for column in columns_of(NINE) if column.band == "replicas")
    assert [(group.title, [r.name for r in group.registries]) for group in column.groups] == [
        ("eu", ["prod-eu"]),
        ("us", ["prod-us"]),
    ]


def test_a_cache_hangs_under_what_it_fronts() -> None:
    layout = lay_out(NINE)
    hub, cache = box_of(layout, "hub"), box_of(layout, "cache-eu")
    assert cache.y > hub.bottom
    assert cache.x > hub.x
    assert cache.right == hub.right
    assert band_of(REGISTRIES[-1], NINE) == "origin"


def test_a_cache_in_front_of_a_replica_stands_with_the_replica() -> None:
    model = RegistryMap(ZONES, (*REGISTRIES, registry("cache-us", "caches", "us", fronts="prod-us")), FLOWS)
    assert band_of(model.registries[-1], model) == "replicas"
    layout = lay_out(model)
    assert box_of(layout, "cache-us").y > box_of(layout, "prod-us").bottom
    check(layout)


def test_only_the_sandbox_is_closed_and_no_arrow_leaves_it() -> None:
    layout = lay_out(NINE)
    assert [band.name for band in layout.bands if band.is_closed] == ["sandbox"]
    assert not [run for run in layout.arrows if run.flow.source == "sandbox"]


def test_what_would_cross_cards_takes_the_lane_below() -> None:
    model = RegistryMap(ZONES, REGISTRIES, (*FLOWS, MapFlow("promotion", "archive", "prod", "1 waiting")))
    layout = lay_out(model)
    floor = max(band.box.bottom for band in layout.bands)
    assert max(y for _, y in arrow(layout, "archive", "prod").points) > floor
    check(layout)


def test_a_flow_to_nowhere_is_left_out() -> None:
    model = RegistryMap(
        ZONES, REGISTRIES, (MapFlow("replication", "prod", "gone"), MapFlow("replication", "prod", "prod"))
    )
    assert lay_out(model).arrows == ()


def test_caches_in_a_circle_are_drawn_all_the_same() -> None:
    round_and_round = (registry("a", "caches", fronts="b"), registry("b", "caches", fronts="a"))
    layout = lay_out(RegistryMap(ZONES, round_and_round, ()))
    assert {card.registry.name for card in layout.cards} == {"a", "b"}


def test_an_empty_map_has_no_bands() -> None:
    assert lay_out(RegistryMap()).bands == ()


NAMES = [f"r{number}" for number in range(12)]
PLACES = st.tuples(
    st.sampled_from([zone.name for zone in ZONES]),
    st.sampled_from(["hq", "eu", "us", ""]),
    st.integers(-1, 11),
    st.booleans(),
)
ENDS = st.tuples(
    st.sampled_from(["promotion", "replication", "archive", "pull_through"]),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.sampled_from(["", "2 waiting", "1 failed, 12 waiting"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PLACES, min_size=1, max_size=12), st.lists(ENDS, max_size=14, unique_by=lambda end: end[:3]))
def test_any_company_can_be_drawn(
    places: list[tuple[str, str, int, bool]], ends: list[tuple[str, str, str, str]]
) -> None:
    registries = []
    for index, (zone, location, other, is_cache) in enumerate(places):
        link = NAMES[other] if 0 <= other < len(places) and other != index else ""
        cached, followed = (link, "") if is_cache else ("", link)
        registries.append(registry(NAMES[index], zone, location, primary=followed, fronts=cached))
    flows = tuple(MapFlow(kind, source, target, label, "broken") for kind, source, target, label in ends)  # type: ignore[arg-type]
    layout = lay_out(RegistryMap(ZONES, tuple(registries), flows))
    assert len(layout.cards) == len(registries)
    check(layout)
