"""Where a registry stands with the exchange of its key, from values alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from registries.access.signing.rotation_rules import (
    KeyFacts,
    Keys,
    Seen,
    why_not_publish,
    why_not_retire,
    why_not_revoke,
    why_not_switch,
)
from registries.access.signing.rotation_steps import Rotation, evaluate_rotation

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIFE = timedelta(minutes=5)
ACTIVE = KeyFacts(1, "AAAA:AAAA:AAAA:AAAA", "ES256", "active", NOW - 90 * MINUTE, activated_at=NOW - 90 * MINUTE)
NEXT = KeyFacts(2, "BBBB:BBBB:BBBB:BBBB", "ES256", "published", NOW - 30 * MINUTE)
OLD = replace(ACTIVE, state="replaced", replaced_at=NOW - 10 * MINUTE)
NEW = replace(NEXT, state="active", activated_at=NOW - 10 * MINUTE)
GONE = replace(OLD, state="retired", replaced_at=NOW - 20 * MINUTE, retired_at=NOW - 5 * MINUTE)


def seen(key: KeyFacts, outcome: str, minutes_ago: float = 1) -> KeyFacts:
    return replace(key, seen=Seen(NOW - minutes_ago * MINUTE, outcome, f"The registry: {outcome}."))


def stand(*keys: KeyFacts, product: str = "distribution") -> Rotation:
    return evaluate_rotation(Keys("prod", product, keys, LIFE), NOW)


def shape(rotation: Rotation) -> str:
    """Each step by the first letter of its state."""
    return "".join(step.state[0] for step in rotation.steps)


@pytest.mark.parametrize(
    ("keys", "now", "states"),
    [
        ((ACTIVE,), "", "nwwwwww"),
        ((ACTIVE, NEXT), "restart", "dnwwwww"),
        ((ACTIVE, seen(NEXT, "refused")), "restart", "dnfwwww"),
        ((ACTIVE, seen(NEXT, "down")), "restart", "dnfwwww"),
        ((ACTIVE, seen(NEXT, "unchecked")), "restart", "dnfwwww"),
        ((ACTIVE, seen(NEXT, "trusted")), "switch", "dddnwww"),
        ((ACTIVE, seen(NEXT, "trusted", 15)), "switch", "dddnwww"),
        ((ACTIVE, seen(NEXT, "trusted", 16)), "probe", "ddnwwww"),
        ((replace(OLD, replaced_at=NOW - 9 * MINUTE), NEW), "wait", "ddddnww"),
        ((OLD, NEW), "retire", "dddddnw"),
        ((OLD, seen(NEW, "trusted")), "retire", "dddddnw"),
        ((OLD, seen(NEW, "refused")), "retire", "dddddfw"),
        ((GONE, NEW), "confirm", "ddddddn"),
        ((seen(GONE, "trusted"), NEW), "confirm", "ddddddf"),
        ((seen(GONE, "refused"), NEW), "", "nwwwwww"),
        # What was seen before it was taken out says nothing.
        ((seen(GONE, "refused", 6), NEW), "confirm", "ddddddn"),
    ],
)
def test_each_moment_has_its_step(keys: tuple[KeyFacts, ...], now: str, states: str) -> None:
    rotation = stand(*keys)
    assert (rotation.now, shape(rotation)) == (now, states), rotation.stands


@pytest.mark.parametrize(
    ("keys", "now", "states"),
    [
        ((ACTIVE,), "", "nwwww"),
        ((ACTIVE, NEXT), "restart", "dnwww"),
        ((replace(OLD, replaced_at=NOW - MINUTE), NEW), "probe", "dddnw"),
        ((replace(OLD, replaced_at=NOW - 2 * MINUTE), seen(NEW, "trusted")), "retire", "ddddn"),
        ((replace(OLD, replaced_at=NOW - 2 * MINUTE), seen(NEW, "refused")), "probe", "dddfw"),
        ((GONE, seen(NEW, "trusted")), "", "nwwww"),
        ((GONE, NEW), "restart", "dnwww"),
    ],
)
def test_a_make_that_trusts_one_key_has_another_order(keys: tuple[KeyFacts, ...], now: str, states: str) -> None:
    rotation = stand(*keys, product="zot")
    assert (rotation.now, shape(rotation)) == (now, states), rotation.stands


def test_without_a_key_there_are_no_steps() -> None:
    assert stand() == Rotation("prod has no key yet.", "", ())


def test_a_registry_that_is_set_to_another_algorithm_is_asked_to_change_over() -> None:
    rotation = evaluate_rotation(Keys("prod", "distribution", (ACTIVE,), LIFE, "RS256"), NOW)
    assert rotation.now == "publish"
    assert "set to RS256 and its key is ES256" in rotation.steps[0].text
    assert evaluate_rotation(Keys("prod", "distribution", (ACTIVE,), LIFE, "ES256"), NOW).now == ""


def test_a_second_exchange_may_begin_while_the_old_key_waits() -> None:
    keys = Keys("prod", "distribution", (OLD, NEW), LIFE)
    assert why_not_publish(keys) == ""
    assert stand(OLD, NEW, replace(NEXT, pk=3)).now == "restart"


def test_the_last_token_is_waited_for_to_the_second() -> None:
    keys = Keys("prod", "distribution", (OLD, seen(NEW, "trusted")), LIFE)
    assert why_not_retire(keys, OLD, NOW) == ""
    assert "until 1 March, 12:00 UTC" in why_not_retire(keys, OLD, NOW - timedelta(seconds=1))


def test_a_longer_life_of_tokens_is_waited_for() -> None:
    keys = Keys("prod", "distribution", (OLD, seen(NEW, "trusted")), 20 * MINUTE)
    assert "until 1 March, 12:15 UTC" in why_not_retire(keys, OLD, NOW)


def test_a_probe_from_before_the_switch_does_not_let_the_old_key_go() -> None:
    keys = Keys("prod", "distribution", (OLD, seen(NEW, "trusted", 11)), LIFE)
    assert "Nobody has seen yet" in why_not_retire(keys, OLD, NOW)


def test_a_revoked_key_is_spoken_of_before_a_retired_one() -> None:
    revoked = replace(GONE, pk=9, kid="CCCC:CCCC:CCCC", state="revoked")
    rotation = stand(GONE, revoked, NEW)
    assert rotation.stands.startswith("CCCC:CCCC:CCCC was revoked here")
    assert "gets in" in rotation.stands
    assert why_not_revoke(revoked) == "CCCC:CCCC:CCCC is revoked already."


def test_zot_is_switched_without_a_probe_and_nobody_else() -> None:
    assert why_not_switch(Keys("prod", "zot", (ACTIVE, NEXT), LIFE), NOW) == ""
    for product in ("distribution", "generic"):
        assert "Probe it" in why_not_switch(Keys("prod", product, (ACTIVE, NEXT), LIFE), NOW)
