"""Policies and questions as chance makes them, with few names, so that they meet."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from portal.networks import parse_networks
from registries.access.explaining.case import Case
from registries.access.facts import Default, Limit, Naming, Owner, Place, Policy, Rule
from registries.access.principals import ANONYMOUS, Principal, system_principal

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SANDBOX = Place(1, "sandbox", 11, "sandbox", "sandbox")
SNAPSHOTS = Place(2, "snapshots", 12, "ci-snapshots", "ci-snapshots", requires_keyless=False)
KEYLESS = Place(3, "tests", 13, "ci-tests", "ci-tests", requires_keyless=True)
PROD = Place(4, "prod", 14, "prod", "prod")
CACHE = Place(5, "cache", 15, "cache", "cache", fronts=PROD)
CACHE_OF_CACHE = Place(6, "edge", 15, "cache", "cache", fronts=CACHE)
NOWHERE = Place(7, "loose", 15, "cache", "cache")
PLACES = (SANDBOX, SNAPSHOTS, KEYLESS, PROD, CACHE, CACHE_OF_CACHE, NOWHERE)
ACTIONS = ("pull", "push", "delete")
NAMES = ("payments", "payments/api", "payments/api/x", "shop/web", "shop")
PATTERNS = ("**", "payments/**", "payments/*", "payments/api", "shop/**", "*/web", "sh?p/**")
NETWORKS = ("", "", "10.0.0.0/8", "192.0.2.0/24")
TEAMS = (1, 2)

_times = st.sampled_from([None, None, NOW - timedelta(days=2), NOW - timedelta(hours=1), NOW, NOW + timedelta(days=1)])
_some = st.sets(st.sampled_from(ACTIONS), min_size=1).map(frozenset)
_whom: Any = st.sampled_from(
    [{}, {"user": 7}, {"user": 8}, {"robot": 7}, {"robot": 8}, {"team": 1}, {"team": 2}, {"is_public": True}]
)
_where: Any = st.sampled_from(
    [{}, *({"zone": place.zone_key} for place in PLACES), *({"registry": place.key} for place in PLACES)]
)
principals = st.builds(
    lambda who, **how: who if who.kind == "system" else _with(who, **how),
    st.sampled_from(
        [
            ANONYMOUS,
            Principal("user", "7", "alice", team_ids=frozenset({1})),
            Principal("user", "8", "maria", team_ids=frozenset({1, 2}), maintains=frozenset({1})),
            Principal("robot", "7", "robot.ci", "ci", frozenset({1})),
            Principal("robot", "8", "robot.shop", "consumer", frozenset({2})),
            system_principal("pipeline"),
            system_principal("cleaner"),
        ]
    ),
    address=st.sampled_from(["", "10.1.2.3", "192.0.2.9", "2001:db8::1"]),
    is_keyless=st.booleans(),
    narrow_pattern=st.sampled_from(["", "", "", "payments/**"]),
    narrow_actions=st.sampled_from(["", "", "", "pull"]),
)


def _with(who: Principal, **how: object) -> Principal:
    return replace(who, **how)  # type: ignore[arg-type]


@st.composite
def rule_lists(draw: st.DrawFn, most: int = 12, first: int = 1) -> tuple[Rule, ...]:
    made = []
    for key in range(first, first + draw(st.integers(0, most))):
        whom, where = draw(_whom), draw(_where)
        made.append(
            Rule(
                key, f"rule {key}", draw(st.booleans()), draw(_some), draw(st.sampled_from(PATTERNS)),
                starts_at=draw(_times), ends_at=draw(_times), networks=parse_networks(draw(st.sampled_from(NETWORKS))),
                **whom, **where,
            )
        )  # fmt: skip
    return tuple(made)


_defaults = st.lists(
    st.builds(
        Default,
        st.sampled_from([place.zone_key for place in PLACES]),
        st.sampled_from(["everyone", "people", "ci", "robots"]),
        st.sampled_from(ACTIONS),
    ),
    max_size=5,
).map(tuple)
_limits = st.lists(st.tuples(_some, st.sampled_from(PATTERNS), st.sampled_from([None, 14, 12])), max_size=1).map(
    lambda rows: tuple(
        Limit(f"restriction {key}", "freeze", "a freeze", actions, pattern, zone, None, NOW - timedelta(days=1), None)
        for key, (actions, pattern, zone) in enumerate(rows)
    )
)
_owners = st.dictionaries(
    st.tuples(st.sampled_from([11, 12, 13, 14]), st.sampled_from(["payments", "shop"])),
    st.sampled_from(TEAMS),
    max_size=3,
).map(lambda rows: {key: Owner(key[1], team, f"team{team}") for key, team in rows.items()})
_naming = st.sampled_from([(), (), (Naming("naming rule 1", 12, "**", ("*/*",)),)])
policies = st.builds(Policy, rule_lists(), _defaults, _limits, _owners, _naming)
cases = st.builds(
    Case, policies, principals, st.sampled_from(PLACES), st.sampled_from(NAMES), st.sampled_from(ACTIONS), st.just(NOW)
)
