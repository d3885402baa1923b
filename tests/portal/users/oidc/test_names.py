"""A name from elsewhere is made one of ours, whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.users.models import NAME, no_robot_name
from portal.users.oidc.names import NOBODY, fit_name, free_name


@pytest.mark.parametrize(
    ("hint", "name"),
    [
        ("alice", "alice"),
        ("Alice", "alice"),
        ("alice@corp.example", "alice"),
        ("CORP\\Zoë.Smith", "zoe.smith"),
        ("a..b--c__d", "a.b-c_d"),
        ("._-alice-_.", "alice"),
        ("Alice Adams", "alice-adams"),
        ("robot.ci", "robot-ci"),
        ("robot.robot.ci", "robot-robot.ci"),
        ("robots", "robots"),
        ("\u0130lk", "ilk"),
        ("老師", ""),
        ("", ""),
        ("@corp.example", ""),
    ],
)
def test_a_hint_makes_a_name(hint: str, name: str) -> None:
    assert fit_name(hint) == name


@given(st.lists(st.text(max_size=90), max_size=3), st.sets(st.text(max_size=8)))
def test_whatever_comes_the_name_is_free_and_one_of_ours(hints: list[str], taken: set[str]) -> None:
    name = free_name(hints, {*taken, NOBODY}.__contains__)
    assert name not in taken
    assert 0 < len(name) <= 64
    NAME(name)
    no_robot_name(name)


@given(st.text(alphabet="robt.-_", min_size=1, max_size=80))
def test_no_way_of_writing_it_makes_a_robot(hint: str) -> None:
    assert not fit_name(hint).startswith("robot.")


def test_a_long_name_keeps_room_for_its_number() -> None:
    taken = {"x" * 64} | {f"{'x' * 58}-{number}" for number in range(2, 1000)}
    name = free_name(["x" * 200], taken.__contains__)
    assert name == f"{'x' * 58}-1000"
    assert len(name) <= 64
