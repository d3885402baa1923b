"""Drafts are held against what was really asked: what would turn either way, of whom, and what cannot be known."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from registries.access.counts.record_models import AccessUse
from registries.access.counts.tally_rows import write_notes
from registries.access.drafting.hold_drafts import MOST_KEPT, Side, hold_drafts, rows_of
from registries.access.drafting.policy_change import change_policy
from registries.access.explaining.case import Case
from registries.access.facts import Rule
from registries.access.models import AccessRule, RobotAccount
from registries.access.policy import evaluate
from registries.topology.models import Registry
from tests.registries.access.cast import make_person, make_registry, make_robot, make_team
from tests.registries.access.random_policies import cases, rule_lists

NOW = timezone.now()


@settings(max_examples=200, deadline=None)
@given(cases, rule_lists(4, first=100), st.sets(st.integers(1, 12), max_size=3))
def test_a_change_of_policy_turns_just_what_two_whole_evaluations_turn(
    asked: Case, begun: tuple[Rule, ...], gone: set[int]
) -> None:
    change = change_policy(asked.policy, begun, gone)
    place, name, action = asked.place, asked.repository, asked.action
    before = evaluate(asked.policy, asked.principal, place, name, action, asked.at)
    after = evaluate(change.then, asked.principal, place, name, action, asked.at)
    turned = change.turned(asked.principal, place, name, action, asked.at)
    assert turned == ((before, after) if before.is_allowed != after.is_allowed else None)


class Shop:
    """Robbie pulls what prod has of payments, by rule; alice does too; somebody is gone."""

    def __init__(self) -> None:
        self.prod = make_registry("prod")
        self.alice = make_person("alice")
        self.team = make_team("payments", self.alice)
        self.robbie = make_robot("payments-ci", self.team, "consumer")
        self.rule = AccessRule.objects.create(
            team=self.team, zone=self.prod.zone, pattern="payments/**", reason="its own"
        )

    def asked(self, who: str, name: str = "payments/api", count: int = 1, **how: Any) -> None:
        use(self.prod, who, name, count, **how)

    def draft(self, **fields: Any) -> AccessRule:
        return AccessRule.objects.create(is_draft=True, **{"zone": self.prod.zone, **fields})


def use(
    registry: Registry, who: str, name: str, count: int = 1, *, days: int = 0, asked: str = "pull", address: str = "",
    is_keyless: bool = False,
) -> None:  # fmt: skip
    """As the token endpoint writes it down, some days ago."""
    from registries.access.counts.tally import Asked, Notes

    at = NOW - timedelta(days=days)
    key = Asked(at.date(), registry.pk, who, name, asked, asked, address, is_keyless)
    write_notes(Notes(asked={key: (count, at)}))


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop()


@pytest.mark.database_both
def test_a_narrower_draft_in_place_of_a_rule_says_who_would_be_refused(shop: Shop) -> None:
    shop.asked("alice", "payments/api", 3)
    shop.asked("alice", "payments/api", 2, days=4)
    shop.asked("robot.payments-ci", "payments/ledger", 7, address="10.0.0.9")
    shop.asked("robot.payments-ci", "payments/ledger", 1, address="10.0.0.10")
    draft = shop.draft(team=shop.team, pattern="payments/api", replaces=shop.rule)
    found = hold_drafts([draft])
    rows = [(row.principal, row.repository, row.requests, row.addresses) for row in rows_of(found)]
    assert rows == [("robot.payments-ci", "payments/ledger", 8, 2)]
    assert (found.refused.requests, found.allowed.requests, found.unchanged, found.read) == (8, 0, 5, 4)
    row = found.refused.sorted_rows[0]
    assert row.before.startswith("a rule allows it")
    assert row.after == "no rule lets robot.payments-ci pull from prod"
    assert row.rule == f"rule {shop.rule.pk} (allow payments pull on prod: payments/**), its own"
    assert found.refused.by_principal == {"robot.payments-ci": 8}


@pytest.mark.database_both
def test_a_wider_draft_says_what_would_be_allowed_and_a_denial_what_would_not(shop: Shop) -> None:
    shop.asked("alice", "shop/web", 4, asked="pull,push")
    shop.asked("alice", "payments/api", 2)
    drafts = [shop.draft(user=shop.alice, pattern="shop/*"), shop.draft(effect="deny", pattern="payments/api")]
    found = hold_drafts(drafts)
    assert [(row.repository, row.is_allowed) for row in rows_of(found)] == [("payments/api", False), ("shop/web", True)]
    assert found.unchanged == 4  # the pushes, which prod refuses whatever a rule says
    assert [rule.partition(" (")[0] for rule in found.allowed.by_rule] == [f"draft of rule {drafts[0].pk}"]


def test_a_rule_left_out_is_tried_without_a_draft(shop: Shop) -> None:
    shop.asked("alice", count=5)
    assert hold_drafts([], [shop.rule]).refused.requests == 5
    assert AccessRule.objects.get().ends_at is None


def test_drafts_decide_nothing_until_they_are_in_force(shop: Shop) -> None:
    shop.asked("alice", "shop/web")
    shop.draft(user=shop.alice, pattern="**")
    assert hold_drafts([]).is_quiet


def test_old_requests_and_logins_do_not_count_and_who_is_gone_counts_apart(shop: Shop) -> None:
    shop.asked("alice", days=31)
    shop.asked("alice", name="", asked="")
    shop.asked("leaver", count=3)
    RobotAccount.objects.filter(pk=shop.robbie.pk).update(is_active=False)
    shop.asked("robot.payments-ci", count=2)
    found = hold_drafts([], [shop.rule])
    assert (found.refused.requests, found.unchanged, found.gone) == (0, 0, 5)
    assert found.gone_names == {"leaver": 3, "robot.payments-ci": 2}


def test_addresses_and_keyless_logins_are_tried_as_they_were(shop: Shop) -> None:
    shop.asked("alice", "shop/web", 1, address="10.1.2.3")
    shop.asked("alice", "shop/web", 2, address="192.0.2.7")
    shop.asked("anonymous", "shop/web", 4)
    found = hold_drafts([shop.draft(pattern="shop/**", networks="10.0.0.0/8", is_public=True)])
    assert [(row.principal, row.requests) for row in found.allowed.sorted_rows] == [("alice", 1)]
    ci = make_registry("ci-tests")
    ci.zone.requires_keyless = True
    ci.zone.save()
    robbie = make_robot("builder", shop.team, "ci")
    for is_keyless in (True, False):
        use(ci, robbie.login, "payments/x", asked="push", is_keyless=is_keyless)
    found = hold_drafts([shop.draft(robot=robbie, effect="deny", may_push=True, zone=ci.zone)])
    assert (found.refused.requests, found.unchanged) == (1, 8)


def test_a_draft_that_begins_later_is_tried_as_if_it_had_begun(shop: Shop) -> None:
    shop.asked("alice", "shop/web")
    later = timezone.now() + timedelta(days=9)
    assert hold_drafts([shop.draft(user=shop.alice, pattern="shop/*", starts_at=later)]).allowed.requests == 1


def test_portions_cut_nowhere_in_the_middle(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from registries.access.drafting import hold_drafts as module

    for name in ("payments/a", "payments/b", "payments/c"):
        for number in range(5):
            shop.asked("alice", name, address=f"10.0.0.{number}")
    monkeypatch.setattr(module, "_PORTION", 2)
    told: list[tuple[int, int]] = []
    found = hold_drafts([], [shop.rule], progress=lambda done, total: told.append((done, total)))
    assert [(row.repository, row.addresses) for row in found.refused.sorted_rows] == [
        ("payments/a", 5), ("payments/b", 5), ("payments/c", 5)
    ]  # fmt: skip
    assert told[-1] == (15, 15)


def test_no_more_rows_are_kept_than_anybody_reads(shop: Shop) -> None:
    from registries.access.drafting.hold_drafts import Difference

    side = Side()
    for number in range(MOST_KEPT + 5):
        side.add(Difference("alice", "prod", f"a/{number}", "pull", False, number + 1, NOW, "", "", ""))
    assert (len(side.rows), side.kinds) == (MOST_KEPT, MOST_KEPT + 5)
    assert side.sorted_rows[0].requests == MOST_KEPT + 5
    assert side.sorted_rows[-1].requests == 6


def test_it_takes_few_queries_however_many_rows(shop: Shop, django_assert_max_num_queries: Any) -> None:
    for number in range(40):
        make_person(f"p{number}")
        shop.asked(f"p{number}", "payments/api")
    draft = shop.draft(pattern="payments/**")
    hold_drafts([draft])
    with django_assert_max_num_queries(8):
        hold_drafts([draft])


def held(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("hold_drafts", *arguments, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_command_ends_with_one_when_something_would_be_refused(shop: Shop) -> None:
    shop.asked("alice", count=3)
    draft = shop.draft(user=shop.alice, pattern="shop/*")
    code, text = held()
    assert code == 0
    assert "0 requests newly refused, 0 newly allowed, 3 unchanged" in text
    code, text = held(str(draft.pk), "--without", str(shop.rule.pk))
    assert code == 1
    assert "REFUSED 3 x alice pull prod/payments/api: no rule lets alice pull from prod" in text
    code, text = held("--without", str(shop.rule.pk), "--json")
    body = json.loads(text)
    assert (code, body["refused"]["requests"], body["rows"][0]["principal"]) == (1, 3, "alice")
    assert len(body["unknown"]) == 3


def test_the_command_refuses_bad_questions(shop: Shop) -> None:
    for arguments in ((), ("999",), (str(shop.rule.pk),), ("--without", "999")):
        with pytest.raises(CommandError) as refused:
            call_command("hold_drafts", *arguments)
        assert refused.value.returncode == 2


def test_uses_are_rows_of_the_endpoint(shop: Shop) -> None:
    shop.asked("alice", count=2)
    assert AccessUse.objects.get().count == 2
