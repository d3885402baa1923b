"""Are all slots of all rules filled, in the best way there is?"""

from hypothesis import given
from hypothesis import strategies as st

from portal.approvals.matching import RuleNeed, match_approvals


def need(name: str, required: int, *people: str) -> RuleNeed:
    return RuleNeed(name, required, frozenset(people))


def test_one_of_many() -> None:
    rules = [need("release managers", 1, "bob", "carol")]
    assert not match_approvals(rules, []).is_satisfied
    outcome = match_approvals(rules, ["bob"])
    assert outcome.is_satisfied
    assert outcome.rules[0].filled_by == ("bob",)


def test_who_may_not_approve_fills_nothing() -> None:
    assert not match_approvals([need("release managers", 1, "bob")], ["alice", "mallory"]).is_satisfied


def test_people_of_two_rules_are_moved_to_where_they_are_needed() -> None:
    """Bob fits both rules and came first; carol fits only the first. Bob has to move over."""
    rules = [need("owners", 1, "bob", "carol"), need("security", 1, "bob")]
    for order in (["bob", "carol"], ["carol", "bob"]):
        outcome = match_approvals(rules, order)
        assert outcome.is_satisfied
        assert outcome.rules[1].filled_by == ("bob",)


def test_one_person_fills_one_slot() -> None:
    rules = [need("owners", 1, "bob", "carol"), need("security", 1, "bob")]
    assert not match_approvals(rules, ["bob"]).is_satisfied
    assert not match_approvals([need("two", 2, "bob", "carol")], ["bob", "bob"]).is_satisfied


def test_too_few_people_is_known_at_once() -> None:
    assert match_approvals([need("two", 2, "bob")], []).is_impossible
    shared = [need("owners", 1, "bob"), need("security", 1, "bob")]
    assert match_approvals(shared, []).is_impossible


def test_no_rules_ask_nobody() -> None:
    assert match_approvals([], []).is_satisfied


PEOPLE = st.sampled_from(["ann", "bob", "cem", "dan", "eve"])
RULES = st.lists(st.tuples(st.integers(1, 2), st.frozensets(PEOPLE)), max_size=3)


@given(RULES, st.lists(PEOPLE, unique=True))
def test_never_satisfied_by_too_few_or_by_strangers(
    rules: list[tuple[int, frozenset[str]]], approved: list[str]
) -> None:
    needs = [RuleNeed(str(index), required, people) for index, (required, people) in enumerate(rules)]
    outcome = match_approvals(needs, approved)
    filled = [person for rule in outcome.rules for person in rule.filled_by]
    assert len(filled) == len(set(filled))
    assert set(filled) <= set(approved)
    for rule, wanted in zip(outcome.rules, needs, strict=True):
        assert set(rule.filled_by) <= wanted.eligible
        assert len(rule.filled_by) <= rule.required
    if outcome.is_satisfied:
        assert len(filled) == sum(wanted.required for wanted in needs)
