"""What an explanation says is what the policy does, whatever the rows: tried on policies that chance made."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import event, given, settings

from portal.networks import parse_networks
from registries.access.explaining.case import Case
from registries.access.explaining.changes import Changes, what_would_change
from registries.access.explaining.losing import is_hard, losers, near_misses
from registries.access.facts import Owner, Policy, Rule
from registries.access.policy import evaluate
from registries.access.principals import ANONYMOUS, Principal
from tests.registries.access.random_policies import CACHE, NOW, PROD, SANDBOX, SNAPSHOTS, cases

ALICE = Principal("user", "7", "alice", team_ids=frozenset({1}))
ROBBIE = Principal("robot", "7", "robot.ci", "ci", frozenset({1}))
PULL, PUSH = frozenset({"pull"}), frozenset({"push"})


def case(principal: Principal, *rules: Rule, place: object = PROD, action: str = "pull", **policy: object) -> Case:
    held = Policy(rules, **policy)  # type: ignore[arg-type]
    return Case(held, principal, place, "payments/api", action, NOW, {1: "payments"})  # type: ignore[arg-type]


@settings(max_examples=250, deadline=None)
@given(cases)
def test_an_explanation_never_contradicts_the_policy(asked: Case) -> None:
    said = evaluate(asked.policy, asked.principal, asked.place, asked.repository, asked.action, asked.at)
    assert (asked.verdict, asked.small().verdict) == (said, said)
    if said.rule_key:
        assert asked.decided_by is not None
        assert asked.decided_by.key == said.rule_key
    lost = losers(asked)
    assert {label for label in said.lost if label.startswith("rule")} <= {row.label for row in lost}
    spoke = {row.key for row in lost if row.key}
    nearly = {row.key for row in near_misses(asked)}
    assert not spoke & nearly
    assert said.rule not in {row.label for row in lost}
    assert all(row.why for row in lost)
    assert all(row.why for row in near_misses(asked))


@settings(max_examples=250, deadline=None)
@given(cases)
def test_what_is_proposed_turns_the_verdict(asked: Case) -> None:
    changes = what_would_change(asked)
    event(f"{asked.verdict.code}, {len(changes.all_of)} first, {len(changes.rules)} rules")
    if asked.verdict.is_allowed:
        assert not changes
        return
    for rule in changes.rules:
        assert asked.under(rule, *asked.policy.rules).verdict.is_allowed
    if is_hard(asked):
        assert not changes.rules
    cleared = _cleared(asked, changes)
    if changes.all_of and not changes.one_of:
        return
    for change in changes.one_of:
        if change.rule is not None:
            assert cleared.under(change.rule, *cleared.policy.rules).verdict.is_allowed


def _cleared(asked: Case, changes: Changes) -> Case:
    """Without what has to go first."""
    ended = {change.key for change in changes.all_of if change.kind == "end_rule"}
    kinds = {change.kind for change in changes.all_of}
    policy = replace(asked.policy, rules=tuple(rule for rule in asked.policy.rules if rule.key not in ended))
    if "end_restriction" in kinds:
        policy = replace(policy, limits=())
    if "rename" in kinds:
        policy = replace(policy, naming=())
    principal = asked.principal
    if "credential" in kinds:
        principal = replace(principal, narrow_pattern="", narrow_actions="")
    return replace(asked, policy=policy, principal=principal)


@settings(max_examples=150, deadline=None)
@given(cases)
def test_when_everything_in_the_way_is_gone_and_nothing_more_is_named_it_is_allowed(asked: Case) -> None:
    changes = what_would_change(asked)
    if changes.all_of and not changes.one_of and _cleared(asked, changes).verdict.code != "fronts_nothing":
        assert _cleared(asked, changes).verdict.is_allowed


def test_a_denial_beats_a_grant_and_both_are_told() -> None:
    asked = case(ALICE, Rule(1, "rule 1", False, PULL, user=7), Rule(2, "rule 2", True, PULL, team=1))
    assert [(row.key, row.why) for row in losers(asked)] == [(1, "a denial beats every grant")]
    changes = what_would_change(asked)
    assert [(change.kind, change.key) for change in changes.all_of] == [("end_rule", 2)]
    assert (changes.one_of, changes.rules) == ((), ())


def test_two_denials_both_have_to_go_and_then_a_rule_is_missing() -> None:
    asked = case(ALICE, Rule(1, "rule 1", True, PULL), Rule(2, "rule 2", True, PULL, team=1))
    assert "denies as well" in losers(asked)[0].why
    changes = what_would_change(asked)
    assert [change.key for change in changes.all_of] == [1, 2]
    assert [change.text for change in changes.one_of] == [
        "a rule for team payments at prod: pull of payments/api",
        "a rule for alice at prod: pull of payments/api",
    ]


def test_a_hard_rule_stands_above_rules_and_a_promotion_is_the_way() -> None:
    asked = case(ALICE, Rule(1, "rule 1", False, PUSH, user=7), action="push")
    assert losers(asked)[0].why == "hard rule of prod zones stands above every rule"
    assert near_misses(asked) == ()
    assert [change.kind for change in what_would_change(asked).one_of] == ["promotion"]


def test_names_of_ones_own_team_are_proposed_whole() -> None:
    asked = case(ROBBIE, owners={(PROD.zone_key, "payments"): Owner("payments", 1, "payments")})
    texts = [change.text for change in what_would_change(asked).one_of]
    assert texts[0] == "a rule for team payments at prod: pull of payments/**"
    assert "owners" in what_would_change(asked).one_of[0].by


def test_a_robot_beyond_its_team_is_helped_by_a_rule_for_the_team_alone() -> None:
    asked = case(ROBBIE, Rule(1, "rule 1", False, PULL, robot=7))
    assert asked.verdict.code == "beyond_team"
    assert "whose team may not" in losers(asked)[0].why
    assert [rule.team for rule in what_would_change(asked).rules] == [1]


def test_rules_that_nearly_fit_say_what_does_not() -> None:
    soon = NOW + timedelta(days=3)
    asked = case(
        ALICE,
        Rule(1, "rule 1", False, PULL, "payments/*/x", user=7),
        Rule(2, "rule 2", False, PULL, team=1, networks=parse_networks("10.0.0.0/8")),
        Rule(3, "rule 3", False, PULL, team=1, starts_at=soon),
        Rule(4, "rule 4", False, PULL, team=1, zone=SANDBOX.zone_key),
        Rule(5, "rule 5", False, PUSH, team=1),
        Rule(6, "rule 6", False, PULL, team=2),
        Rule(7, "rule 7", False, PUSH, "shop/**", team=1),
    )
    found = near_misses(asked)
    assert [miss.key for miss in found] == [2, 3, 5, 4, 1]
    assert found[0].why == ("it holds from 10.0.0.0/8 alone, and where the client is was not said",)
    assert found[1].why == ("it is not in force until 2026-03-04 12:00 UTC",)
    assert found[2].why == ("it speaks of push, not of pull",)
    assert found[3].why == ("it holds elsewhere, not at prod",)
    assert found[4].why == ("payments/*/x does not mean payments/api",)
    kinds = [change.kind for change in what_would_change(asked).one_of]
    assert kinds == ["rule", "rule", "network", "time"]


def test_a_permission_tells_which_denial_is_on_its_way() -> None:
    soon = Rule(2, "rule 2", True, PULL, team=1, starts_at=NOW + timedelta(days=1))
    other = Rule(3, "rule 3", True, PULL, "shop/**", team=1)
    asked = case(ALICE, Rule(1, "rule 1", False, PULL, user=7), soon, other)
    assert [miss.key for miss in near_misses(asked)] == [2]


def test_a_rule_at_a_cache_alone_opens_nothing() -> None:
    asked = case(ALICE, Rule(1, "rule 1", False, PULL, user=7, registry=CACHE.key), place=CACHE)
    assert "the rule would have to hold at prod" in losers(asked)[0].why
    assert [rule.registry for rule in what_would_change(asked).rules] == [PROD.key, PROD.key]


def test_strangers_may_sign_in_or_be_let_in_by_a_rule() -> None:
    changes = what_would_change(case(ANONYMOUS))
    assert [(change.kind, change.rule is not None and change.rule.is_public) for change in changes.one_of] == [
        ("rule", True), ("sign_in", False)
    ]  # fmt: skip


def test_names_of_another_team_in_ci_are_told_with_both_ways_out() -> None:
    from registries.access.facts import Default

    asked = case(
        ROBBIE, place=SNAPSHOTS, action="push", defaults=(Default(SNAPSHOTS.zone_key, "ci", "push"),),
        owners={(SNAPSHOTS.zone_key, "payments"): Owner("payments", 2, "shop")},
    )  # fmt: skip
    assert asked.verdict.code == "owned_by_other"
    assert {change.kind for change in what_would_change(asked).one_of} == {"rule", "namespace"}
    assert losers(asked)[0].label == "default of zone ci-snapshots: ci push"


def test_a_narrow_credential_is_the_first_thing_in_the_way() -> None:
    asked = case(replace(ALICE, narrow_actions="push"), Rule(1, "rule 1", False, PULL, user=7))
    changes = what_would_change(asked)
    assert [change.kind for change in changes.all_of] == ["credential"]
    assert changes.one_of == ()
    assert "good for less" in losers(asked)[0].why
