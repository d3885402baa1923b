"""The graph of states: what no path through it may ever do."""

from collections.abc import Iterator

import pytest

from promotions.workflow.models import RequestState
from promotions.workflow.states import ALLOWED, ENDED, FINAL, OPEN, UNDECIDED, may_move


def paths(start: str, seen: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every way from a state without going anywhere twice."""
    here = (*seen, start)
    yield here
    for following in ALLOWED[start]:
        if following not in here:
            yield from paths(following, here)


def test_every_state_is_in_the_graph() -> None:
    assert set(ALLOWED) == set(RequestState.values)
    assert set().union(*ALLOWED.values()) <= set(RequestState.values)
    assert set(RequestState.values) == OPEN | ENDED
    assert not OPEN & ENDED


def test_nothing_is_executed_without_being_ready() -> None:
    ways = [way for way in paths("evaluating") if "executing" in way]
    assert ways
    assert all(way[way.index("executing") - 1] == "ready" for way in ways)


def test_nothing_is_promoted_without_being_executed() -> None:
    assert [state for state in ALLOWED if may_move(state, "promoted")] == ["executing"]


def test_what_gates_stopped_has_to_pass_them_again() -> None:
    assert not may_move("blocked", "ready")
    assert not may_move("blocked", "awaiting_approval")
    assert not may_move("executing", "ready")


@pytest.mark.parametrize("state", sorted(FINAL))
def test_an_end_is_an_end(state: str) -> None:
    assert not ALLOWED[state]
    assert state in ENDED


@pytest.mark.parametrize("state", sorted(UNDECIDED))
def test_what_is_undecided_can_be_called_off_and_expires(state: str) -> None:
    assert may_move(state, "cancelled")
    assert may_move(state, "expired")


def test_prod_is_never_taken_back_by_itself() -> None:
    assert ALLOWED["promoted"] == {"completed"}
