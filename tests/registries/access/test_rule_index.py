"""Rules are found by how their pattern begins; none that speaks may be missed."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from registries.access.facts import Place, Policy, Rule
from registries.access.principals import Principal

HERE = Place(1, "prod", 1, "prod", "prod")
ROBBIE = Principal("robot", "7", "robot.robbie", "ci", frozenset({3}))
WHOM: list[dict[str, int]] = [{}, {"robot": 7}, {"robot": 8}, {"team": 3}, {"team": 4}, {"user": 7}]
PATTERNS = st.lists(st.sampled_from(["a", "b", "ab", "*", "**", "a*", "?", "a**", "", "b?a"]), min_size=1, max_size=4)
NAMES = st.lists(st.sampled_from(["a", "b", "ab", "ba", "bba"]), min_size=1, max_size=4)


@given(st.lists(st.tuples(PATTERNS, st.sampled_from(WHOM)), max_size=30), NAMES)
def test_no_rule_that_speaks_is_missed(made: list[tuple[list[str], dict[str, Any]]], parts: list[str]) -> None:
    policy = Policy(
        tuple(
            Rule(key, "", False, frozenset({"pull"}), "/".join(pattern), **whom)
            for key, (pattern, whom) in enumerate(made)
        )
    )
    name = "/".join(parts)
    near = [rule.key for rule in policy.rules_near(ROBBIE, name) if rule.covers(HERE, name)]
    about = [rule.key for rule in policy.rules_about(ROBBIE) if rule.covers(HERE, name)]
    assert sorted(near) == sorted(about)
