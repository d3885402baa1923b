"""The hard rules in words say what the hard rules do."""

import pytest

from registries.access.facts import Place
from registries.access.hard_rule_words import hard_rules
from registries.access.hard_rules import SYSTEM_RIGHTS, hard_verdict
from registries.access.principals import ANONYMOUS, Principal
from registries.topology.models import ZoneKind

PERSON, CI = Principal("user", "1", "alice"), Principal("robot", "1", "robot.x", "ci")
CONSUMER = Principal("robot", "2", "robot.y", "consumer")


def never(kind: str, action: str) -> str:
    """The sentence on an action, empty where no hard rule speaks of people or robots."""
    return next(
        (line for line in hard_rules(kind, kind) if line.endswith("whatever rules say.") and action in line), ""
    ) or next((line for line in hard_rules(kind, kind) if line.startswith(f"Nobody may {action}")), "")


@pytest.mark.parametrize("kind", ZoneKind.values)
@pytest.mark.parametrize("action", ["pull", "push", "delete"])
def test_whom_a_sentence_names_is_refused_and_nobody_else(kind: str, action: str) -> None:
    place = Place(0, kind, 0, kind, kind)
    said = never(kind, action)
    names = {"strangers": ANONYMOUS, "people": PERSON, "robots for consumers": CONSUMER, "ci": CI}
    for name, principal in names.items():
        verdict = hard_verdict(principal, place, action)
        is_refused = verdict is not None and not verdict.is_allowed
        assert is_refused == (said.startswith("Nobody may") or name in said.lower()), f"{kind} {action}: {name}: {said}"


@pytest.mark.parametrize("kind", ZoneKind.values)
def test_our_own_jobs_are_named_where_they_change_something(kind: str) -> None:
    text = " ".join(hard_rules(kind, kind))
    for name, rights in SYSTEM_RIGHTS.items():
        changes = any(kind in rights.get(action, ()) for action in ("push", "delete"))
        assert changes == (name in text)


def test_a_keyless_zone_says_so_and_no_other() -> None:
    assert "CI with a stored secret never push" in " ".join(hard_rules("ci", "ci-snapshots", requires_keyless=True))
    assert "stored secret" not in " ".join(hard_rules("ci", "ci-snapshots"))


def test_prod_in_words() -> None:
    lines = hard_rules("prod", "prod")
    assert "Nobody may push, whatever rules say: neither people nor robots." in lines
    assert "Of our own jobs, pipeline, replicator, restorer may push." in lines
