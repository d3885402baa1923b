"""The policy as a table: who may do what where, and in which words the rest is refused. No row, no clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.networks import parse_networks
from registries.access.facts import Default, Limit, Naming, Owner, Place, Policy, Rule, Verdict
from registries.access.policy import ACTIONS, evaluate, evaluate_scope
from registries.access.principals import ANONYMOUS, SYSTEM_PRINCIPALS, Principal, system_principal
from registries.oci.scope import CATALOG, Scope
from registries.topology.defaults import ZONE_DEFAULTS
from registries.topology.models import ZoneKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KINDS = list(ZoneKind.values)
PLACES = {kind: Place(number, kind, 10 + number, kind, kind) for number, kind in enumerate(KINDS, 1) if kind != "cache"}
PLACES["cache"] = Place(90, "cache-eu", 91, "cache", "cache", fronts=PLACES["upstream"])
DEFAULTS = tuple(
    Default(PLACES[kind].zone_key, line.split()[0], line.split()[1]) for kind in KINDS for line in ZONE_DEFAULTS[kind]
)
PAYMENTS, SHOP = 1, 2
ALICE = Principal("user", "7", "alice", team_ids=frozenset({PAYMENTS}))
MARIA = Principal("user", "8", "maria", team_ids=frozenset({PAYMENTS}), maintains=frozenset({PAYMENTS}))
CHARLIE = Principal("user", "9", "charlie")
ROBBIE = Principal("robot", "7", "robot.payments-ci", "ci", frozenset({PAYMENTS}))
SHOPPER = Principal("robot", "8", "robot.shop", "consumer", frozenset({SHOP}))
EVERYBODY = [ANONYMOUS, ALICE, MARIA, ROBBIE, SHOPPER, *map(system_principal, SYSTEM_PRINCIPALS)]
BARE = Policy(defaults=DEFAULTS)


def ask(principal: Principal, kind: str, action: str, policy: Policy = BARE, name: str = "payments/tool") -> Verdict:
    return evaluate(policy, principal, PLACES[kind], name, action, NOW)


def rule(key: int = 1, *actions: str, deny: bool = False, **fields: object) -> Rule:
    spoken = frozenset(actions or ACTIONS)
    return Rule(key, f"rule {key}", deny, spoken, **fields)  # type: ignore[arg-type]


def with_rules(*rules: Rule) -> Policy:
    return replace(BARE, rules=rules)


PEOPLE = {
    "sandbox": "pull push", "ci-tests": "pull", "ci-snapshots": "pull", "prod": "", "archive": "pull", "cache": "pull",
    "upstream": "pull",
}  # fmt: skip
ROBOTS = {
    "sandbox": "", "ci-tests": "pull", "ci-snapshots": "pull", "prod": "", "archive": "pull", "cache": "pull",
    "upstream": "pull",
}  # fmt: skip
OUT_OF_THE_BOX = [
    (ANONYMOUS, dict.fromkeys(KINDS, "")),
    (ALICE, PEOPLE),
    (SHOPPER, ROBOTS),
    (ROBBIE, ROBOTS | {"ci-tests": "pull push", "ci-snapshots": "pull push"}),
    (system_principal("sync"), dict.fromkeys(KINDS, "pull")),
    (system_principal("pipeline"), {**dict.fromkeys(KINDS, "pull"), "sandbox": "", "prod": "pull push"}),
    (
        system_principal("replicator"),
        {
            **dict.fromkeys(KINDS, "pull"),
            "sandbox": "",
            "prod": "pull push",
            "ci-tests": "pull push",
            "ci-snapshots": "pull push",
        },
    ),
    (
        system_principal("importer"),
        {**dict.fromkeys(KINDS, ""), "upstream": "pull", "cache": "pull", "archive": "pull push"},
    ),
    (system_principal("restorer"), {**dict.fromkeys(KINDS, "pull push"), "upstream": "", "cache": ""}),
    (
        system_principal("cleaner"),
        {
            "sandbox": "pull push delete",
            "ci-tests": "pull push delete",
            "ci-snapshots": "pull push delete",
            "prod": "pull delete",
            "archive": "pull delete",
            "cache": "",
            "upstream": "",
        },
    ),
]


@pytest.mark.parametrize(("principal", "table"), OUT_OF_THE_BOX, ids=lambda value: str(value) if value else "")
def test_what_everybody_may_do_out_of_the_box(principal: Principal, table: dict[str, str]) -> None:
    found = {kind: " ".join(a for a in ACTIONS if ask(principal, kind, a).is_allowed) for kind in KINDS}
    assert found == table


EVERYTHING = with_rules(rule(1, is_public=True))
HARD = [
    *((who, "prod", "push", "pipeline_only") for who in (ALICE, ROBBIE, SHOPPER)),
    *((who, "archive", "push", "importer_only") for who in (ALICE, ROBBIE, SHOPPER)),
    *((who, "cache", "push", "fills_itself") for who in (ALICE, ROBBIE)),
    *((who, "upstream", "push", "not_ours") for who in (ALICE, ROBBIE)),
    *((who, kind, "push", "ci_only") for who in (ALICE, SHOPPER) for kind in ("ci-tests", "ci-snapshots")),
    *((who, "sandbox", action, "no_robots") for who in (ROBBIE, SHOPPER) for action in ACTIONS),
    *(
        (who, kind, "delete", "plan_only")
        for who in (ALICE, ROBBIE)
        for kind in ("prod", "archive", "cache", "upstream")
    ),
    *((ANONYMOUS, kind, action, "sign_in") for kind in KINDS for action in ("push", "delete")),
    (ANONYMOUS, "sandbox", "pull", "sign_in"),
    (system_principal("pipeline"), "archive", "push", "not_its_work"),
    (system_principal("sync"), "prod", "push", "not_its_work"),
    (system_principal("cleaner"), "prod", "push", "not_its_work"),
    *((system_principal(name), "sandbox", "pull", "sandbox_keeps") for name in ("pipeline", "replicator", "importer")),
]


@pytest.mark.parametrize(("principal", "kind", "action", "code"), HARD)
def test_no_row_overrides_a_hard_rule(principal: Principal, kind: str, action: str, code: str) -> None:
    everything_goes = replace(
        EVERYTHING, defaults=tuple(Default(place.zone_key, "everyone", a) for place in PLACES.values() for a in ACTIONS)
    )
    verdict = ask(principal, kind, action, everything_goes)
    assert (verdict.is_allowed, verdict.code) == (False, code)
    assert verdict.text
    assert verdict.rule.startswith("hard rule")


def test_a_refusal_says_what_happened_and_what_to_do() -> None:
    verdict = ask(ALICE, "prod", "push")
    assert verdict.text == "prod takes images only from the promotion pipeline"
    assert verdict.fix == "Push to a CI registry and ask for a promotion."
    assert "alice" in ask(ALICE, "prod", "pull").text


def test_a_grant_reaches_whom_it_names_and_nobody_else() -> None:
    by_robot, by_team = rule(1, "pull", robot=8, zone=PLACES["upstream"].zone_key), rule(2, "pull", team=PAYMENTS)
    alone = replace(BARE, defaults=(Default(PLACES["upstream"].zone_key, "people", "pull"),), rules=(by_robot,))
    assert ask(SHOPPER, "upstream", "pull", alone).code == "by_rule"
    assert not ask(ROBBIE, "upstream", "pull", alone).is_allowed
    for other in (ROBBIE, ALICE, MARIA, CHARLIE, ANONYMOUS):
        assert not ask(other, "prod", "pull", with_rules(by_robot)).is_allowed
    for member in (ALICE, ROBBIE):
        assert ask(member, "prod", "pull", with_rules(by_team)).is_allowed
    assert not ask(SHOPPER, "prod", "pull", with_rules(by_team)).is_allowed


def test_a_robot_never_does_more_than_its_team() -> None:
    """A rule that names a robot holds within what its team may: by a rule for the team, by the zone's default, or in its own names."""
    own = rule(1, "pull", "push", "delete", robot=8)
    refused = ask(SHOPPER, "prod", "pull", with_rules(own))
    assert (refused.code, refused.lost) == ("beyond_team", ("rule 1",))
    assert refused.fix == "Ask a platform admin for a rule for its team."
    of_team = rule(2, "pull", team=SHOP, pattern="payments/**")
    verdict = ask(SHOPPER, "prod", "pull", with_rules(own, of_team))
    assert (verdict.code, verdict.rule, verdict.lost, verdict.rule_key) == ("by_rule", "rule 2", ("rule 1",), 2)
    assert ask(SHOPPER, "prod", "pull", with_rules(own, of_team), "other/tool").code == "beyond_team"
    owned = replace(OWNED, rules=(own,))
    assert ask(SHOPPER, "prod", "pull", owned, "payments/shared/x").code == "by_rule"
    assert ask(SHOPPER, "prod", "pull", owned, "payments/tool").code == "beyond_team"
    other = replace(ROBBIE, name="robot.shop-ci", key="70", team_ids=frozenset({SHOP}))
    pushes = replace(OWNED, rules=(rule(1, "push", "delete", robot=70),))
    assert ask(other, "ci-snapshots", "push", pushes, "payments/tool").code == "owned_by_other"
    assert ask(other, "ci-snapshots", "push", pushes, "payments/shared/x").code == "by_rule"
    assert ask(other, "ci-snapshots", "delete", pushes, "payments/tool").code == "beyond_team"
    denied = with_rules(own, of_team, rule(3, "pull", deny=True, team=SHOP))
    assert ask(SHOPPER, "prod", "pull", denied).code == "denied_by_rule"


OFFICE, TUNNEL = parse_networks("10.1.0.0/16, 2001:db8::/32"), parse_networks("10.9.9.9")


@pytest.mark.parametrize(
    ("address", "is_inside"),
    [
        ("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("2001:db8::1", True), ("10.2.0.1", False), ("2001:db9::1", False),
        ("not an address", False), ("", False),
    ],
)  # fmt: skip
def test_a_rule_may_speak_of_clients_in_some_networks_alone(address: str, is_inside: bool) -> None:
    """Where a client is that nobody can place, a grant does not hold and a denial does."""
    alice = replace(ALICE, address=address)
    allowed = with_rules(rule(1, "pull", team=PAYMENTS, networks=OFFICE))
    assert ask(alice, "prod", "pull", allowed).is_allowed is is_inside
    denied = with_rules(rule(1, "pull", team=PAYMENTS), rule(2, "pull", deny=True, networks=OFFICE))
    assert ask(alice, "prod", "pull", denied).is_allowed is (not is_inside and address != "")
    stranger = replace(ANONYMOUS, address=address)
    public = with_rules(rule(1, "pull", is_public=True, networks=OFFICE))
    assert ask(stranger, "prod", "pull", public).is_allowed is is_inside
    assert ask(replace(ALICE, address="10.9.9.9"), "prod", "pull", with_rules(rule(networks=TUNNEL))).is_allowed


@pytest.mark.parametrize(
    ("narrowing", "text"),
    [
        ({"narrow_actions": "push"}, "good for push alone"),
        ({"narrow_pattern": "shop/**"}, "good for shop/** alone"),
        ({"narrow_registries": "prod,prod-eu"}, "good at prod,prod-eu alone"),
        ({"narrow_networks": "10.1.0.0/16"}, "good from 10.1.0.0/16 alone, and the client is at 10.2.0.1"),
    ],
)
def test_a_credential_may_be_good_for_less_than_its_owner(narrowing: dict[str, str], text: str) -> None:
    principal = replace(ALICE, address="10.2.0.1", **narrowing)  # type: ignore[arg-type]
    verdict = ask(principal, "sandbox", "pull")
    assert (verdict.is_allowed, verdict.code) == (False, "narrow_credential")
    assert text in verdict.text


def test_a_credential_that_is_narrowed_still_does_what_it_was_made_for() -> None:
    made = replace(
        ALICE, narrow_actions="pull", narrow_pattern="payments/**", narrow_registries="ci-tests,sandbox",
        narrow_networks="10.0.0.0/8", address="10.2.0.1",
    )  # fmt: skip
    assert ask(made, "sandbox", "pull").is_allowed
    assert not ask(made, "ci-snapshots", "pull").is_allowed


def test_a_zone_may_take_pushes_from_keyless_ci_alone() -> None:
    strict = replace(PLACES["ci-snapshots"], requires_keyless=True)
    for principal, code in (
        (ROBBIE, "keyless_only"),
        (ALICE, "ci_only"),
        (replace(ROBBIE, is_keyless=True), "by_default"),
    ):
        assert evaluate(BARE, principal, strict, "payments/tool", "push", NOW).code == code
    assert evaluate(BARE, ROBBIE, strict, "payments/tool", "pull", NOW).is_allowed
    overridden = with_rules(rule(1, "push", team=PAYMENTS))
    assert evaluate(overridden, ROBBIE, strict, "payments/tool", "push", NOW).code == "keyless_only"


NAMED = replace(
    BARE,
    naming=(
        Naming("naming rule 1", PLACES["ci-snapshots"].zone_key, "**", ("*/*", "*/*/*"), "see the handbook"),
        Naming("naming rule 2", PLACES["ci-snapshots"].zone_key, "payments/**", ("payments/api", "payments/tool*")),
        Naming("naming rule 3", PLACES["sandbox"].zone_key, "**", ("never",)),
    ),
)


@pytest.mark.parametrize(
    ("name", "rule_label"),
    [
        ("shop/web", ""), ("shop/a/b", ""), ("payments/tools", ""), ("tool", "naming rule 1"),
        ("shop/a/b/c", "naming rule 1"), ("payments/web", "naming rule 2"),
    ],
)  # fmt: skip
def test_what_ci_pushes_is_named_by_the_rules_of_its_zone(name: str, rule_label: str) -> None:
    verdict = ask(ROBBIE, "ci-snapshots", "push", NAMED, name)
    assert (verdict.is_allowed, verdict.rule if rule_label else "") == (not rule_label, rule_label)
    if rule_label:
        assert verdict.code == "misnamed"
        assert verdict.text.startswith(f"{name} is not named like")
    assert ask(ROBBIE, "ci-snapshots", "pull", NAMED, name).is_allowed
    assert ask(ROBBIE, "ci-tests", "push", NAMED, name).is_allowed
    assert ask(ALICE, "sandbox", "push", NAMED, name).is_allowed


def test_a_person_and_a_robot_of_one_key_are_not_taken_for_each_other() -> None:
    assert ALICE.key == ROBBIE.key
    assert not ask(ROBBIE, "prod", "pull", with_rules(rule(1, user=7))).is_allowed
    assert not ask(ALICE, "prod", "pull", with_rules(rule(1, robot=7))).is_allowed


def test_everyone_means_everyone_signed_in_unless_it_says_public() -> None:
    assert ask(CHARLIE, "prod", "pull", with_rules(rule())).is_allowed
    assert not ask(ANONYMOUS, "prod", "pull", with_rules(rule())).is_allowed
    assert ask(ANONYMOUS, "prod", "pull", EVERYTHING).is_allowed


def test_deny_wins_and_says_what_lost() -> None:
    allow, deny = rule(1, "pull", team=PAYMENTS), rule(2, "pull", deny=True, user=7)
    for order in ((allow, deny), (deny, allow)):
        verdict = ask(ALICE, "prod", "pull", with_rules(*order))
        assert (verdict.code, verdict.rule, verdict.lost) == ("denied_by_rule", "rule 2", ("rule 1",))
    assert ask(ALICE, "ci-snapshots", "pull", with_rules(deny)).code == "denied_by_rule"
    assert not ask(ANONYMOUS, "prod", "pull", with_rules(rule(1, is_public=True), rule(2, deny=True))).is_allowed


@pytest.mark.parametrize(
    ("starts", "ends", "holds"),
    [
        (None, None, True), (NOW, None, True), (NOW + DAY, None, False), (None, NOW, False), (None, NOW + DAY, True),
        (NOW - DAY, NOW - DAY / 2, False),
    ],
)  # fmt: skip
def test_rules_begin_and_end(starts: datetime | None, ends: datetime | None, holds: bool) -> None:
    policy = with_rules(rule(1, "pull", starts_at=starts, ends_at=ends))
    assert ask(ALICE, "prod", "pull", policy).is_allowed is holds


@pytest.mark.parametrize(
    ("pattern", "name", "holds"),
    [
        ("**", "payments/tool", True),
        ("payments/*", "payments/tool", True),
        ("payments/*", "payments/a/b", False),
        ("payments/**", "payments/a/b", True),
        ("payments/**", "payments", True),
        ("payments", "payments-b/x", False),
        ("payments*", "payments-b", True),
        ("payments*", "payments/x", False),
        ("*", "payments/tool", False),
        ("pay.ents/tool", "payments/tool", False),
        ("tool", "payments/tool", False),
    ],
)
def test_patterns(pattern: str, name: str, holds: bool) -> None:
    assert ask(ALICE, "prod", "pull", with_rules(rule(1, "pull", pattern=pattern)), name).is_allowed is holds


def test_rules_stand_where_they_say() -> None:
    prod = PLACES["prod"]
    here, there = with_rules(rule(1, registry=prod.key)), with_rules(rule(1, registry=prod.key + 1))
    assert ask(ALICE, "prod", "pull", here).is_allowed
    assert not ask(ALICE, "prod", "pull", there).is_allowed
    assert not ask(ALICE, "prod", "pull", with_rules(rule(1, zone=prod.zone_key + 1))).is_allowed


@pytest.mark.parametrize(
    "name", ["Team/app", "host:5000/app", "", "a//b", "../a", "a/", "\u00e4", "a b", "x" * 256, "team/*"]
)
def test_names_beyond_the_oci_grammar_get_nothing(name: str) -> None:
    for principal in EVERYBODY:
        assert ask(principal, "sandbox", "pull", EVERYTHING, name).code == "bad_name"


def limit(**fields: object) -> Limit:
    values: dict[str, object] = {
        "label": "restriction 1", "code": "frozen", "reason": "the year ends", "actions": frozenset({"push"}),
        "pattern": "**", "zone": None, "registry": None, "starts_at": NOW - DAY, "ends_at": NOW + DAY, **fields,
    }  # fmt: skip
    return Limit(**values)  # type: ignore[arg-type]


def test_a_restriction_binds_everybody_our_own_jobs_included() -> None:
    frozen = replace(EVERYTHING, limits=(limit(),))
    for principal, kind in ((ALICE, "sandbox"), (ROBBIE, "ci-snapshots"), (system_principal("pipeline"), "prod")):
        verdict = ask(principal, kind, "push", frozen)
        assert (verdict.code, verdict.text) == ("frozen", "the year ends until 2026-03-02 12:00 UTC")
        assert ask(principal, kind, "pull", frozen).is_allowed


@pytest.mark.parametrize(
    "fields", [{"starts_at": NOW + DAY}, {"ends_at": NOW}, {"zone": 999}, {"registry": 999}, {"pattern": "other/**"}]
)
def test_a_restriction_holds_only_when_and_where_it_says(fields: dict[str, object]) -> None:
    assert ask(ALICE, "sandbox", "push", replace(BARE, limits=(limit(**fields),))).is_allowed


OWNED = replace(
    BARE,
    owners={
        (PLACES[kind].zone_key, prefix): Owner(prefix, team, name)
        for kind, (prefix, team, name) in product(
            KINDS, [("payments", PAYMENTS, "payments"), ("payments/shared", SHOP, "shop")]
        )
    },
)


def test_ci_pushes_by_default_only_where_no_other_team_owns_the_name() -> None:
    other = replace(ROBBIE, name="robot.shop-ci", key="70", team_ids=frozenset({SHOP}))
    for kind in ("ci-tests", "ci-snapshots"):
        assert ask(ROBBIE, kind, "push", OWNED, "payments/tool").is_allowed
        assert ask(other, kind, "push", OWNED, "payments/shared/x").is_allowed
        assert ask(ROBBIE, kind, "push", OWNED, "payments-b/tool").is_allowed
        refused = ask(other, kind, "push", OWNED, "payments/tool")
        assert refused.code == "owned_by_other"
        assert refused.text.endswith("belongs to team payments, of which robot.shop-ci is not")
        granted = replace(OWNED, rules=(rule(1, "push", team=SHOP),))
        assert ask(other, kind, "push", granted, "payments/tool").is_allowed


def test_people_delete_by_rule_or_as_maintainers_in_a_sandbox() -> None:
    assert not ask(ALICE, "sandbox", "delete", OWNED).is_allowed
    assert ask(MARIA, "sandbox", "delete", OWNED).code == "by_ownership"
    assert not ask(MARIA, "sandbox", "delete", OWNED, "payments/shared/x").is_allowed
    assert not ask(MARIA, "ci-tests", "delete", OWNED).is_allowed
    assert ask(ALICE, "ci-tests", "delete", with_rules(rule(1, "delete", user=7))).is_allowed


def test_a_cache_gives_what_its_origin_gives_and_no_more() -> None:
    prod, sandbox = PLACES["prod"], PLACES["sandbox"]
    granted = with_rules(rule(1, "pull", team=SHOP, zone=prod.zone_key))
    for_prod = replace(PLACES["cache"], fronts=prod)
    found = evaluate(granted, SHOPPER, for_prod, "payments/tool", "pull", NOW)
    assert (found.is_allowed, found.text) == (True, "cache-eu is a cache of prod: a rule allows it: rule 1")
    assert not evaluate(granted, ALICE, for_prod, "payments/tool", "pull", NOW).is_allowed
    on_the_cache_alone = with_rules(rule(1, "pull", zone=for_prod.zone_key))
    assert not evaluate(on_the_cache_alone, ALICE, for_prod, "payments/tool", "pull", NOW).is_allowed
    denied_there = with_rules(rule(1, "pull", robot=8, zone=prod.zone_key), rule(2, deny=True, registry=for_prod.key))
    assert not evaluate(denied_there, SHOPPER, for_prod, "payments/tool", "pull", NOW).is_allowed
    of_sandbox = replace(for_prod, fronts=sandbox)
    assert evaluate(EVERYTHING, ROBBIE, of_sandbox, "a", "pull", NOW).code == "no_robots"
    assert not evaluate(EVERYTHING, ALICE, replace(for_prod, fronts=None), "a", "pull", NOW).is_allowed


def test_scopes_are_narrowed_one_by_one() -> None:
    star = evaluate_scope(BARE, ALICE, PLACES["sandbox"], Scope.repository("a", "*"), NOW)
    assert star.granted == {"pull", "push"}
    assert [verdict.action for verdict in star.refused] == ["delete"]
    odd = evaluate_scope(BARE, ALICE, PLACES["sandbox"], Scope.repository("a", "pull", "fly"), NOW)
    assert odd.granted == {"pull"}
    assert odd.refused[0].code == "unknown_action"


@pytest.mark.parametrize("scope", [CATALOG, Scope.repository("", "pull")])
def test_lists_of_all_names_are_for_the_sync(scope: Scope) -> None:
    for principal in EVERYBODY:
        granted = evaluate_scope(EVERYTHING, principal, PLACES["prod"], scope, NOW).granted
        assert granted == (scope.actions if principal.key == "sync" else frozenset())


@pytest.mark.parametrize(
    "scope",
    [
        Scope("registry", "catalog", frozenset({"pull"})),
        Scope("registry", "other", frozenset({"*"})),
        Scope("repository", "", frozenset({"push"})),
        Scope("artifact", "a", frozenset({"pull"})),
    ],
)
def test_what_we_do_not_know_is_not_granted(scope: Scope) -> None:
    for principal in EVERYBODY:
        assert not evaluate_scope(EVERYTHING, principal, PLACES["sandbox"], scope, NOW).granted


def test_a_kind_of_zone_that_we_do_not_know_gives_nothing() -> None:
    strange = Place(99, "strange", 99, "strange", "moon")
    for principal, action in product(EVERYBODY, ("push", "delete")):
        assert not evaluate(EVERYTHING, principal, strange, "a", action, NOW).is_allowed


rules = st.builds(
    rule,
    st.integers(1, 50),
    *[st.sampled_from(ACTIONS)] * 2,
    deny=st.booleans(),
    pattern=st.sampled_from(["**", "*", "payments/*", "payments/**", "payments/tool"]),
    team=st.sampled_from([None, PAYMENTS, SHOP]),
    zone=st.sampled_from([None, *(place.zone_key for place in PLACES.values())]),
    is_public=st.booleans(),
)


@given(st.lists(rules, max_size=8), st.sampled_from(EVERYBODY), st.sampled_from(KINDS), st.sampled_from(ACTIONS))
def test_one_more_denial_never_allows_and_hard_rules_never_bend(
    some: list[Rule], principal: Principal, kind: str, action: str
) -> None:
    before = ask(principal, kind, action, with_rules(*some))
    after = ask(principal, kind, action, with_rules(*some, rule(99, deny=True)))
    assert not (after.is_allowed and not before.is_allowed)
    assert principal.kind == "system" or not after.is_allowed
    if kind == "prod" and action == "push":
        assert before.is_allowed is (
            principal.key in {"pipeline", "replicator", "restorer"} and principal.kind == "system"
        )
    if kind == "sandbox" and principal.kind in ("robot", "anonymous"):
        assert not before.is_allowed
    assert before.text
