"""Who may agree, and whose word stands?"""

import pytest

from portal.actor import system
from portal.approvals.decisions import record_decision
from portal.approvals.models import ApprovalRule, Decision
from portal.approvals.queries import approvers, decisions_on, eligible_people, needs_for, policies_of
from portal.approvals.rules import PinnedRule, rules_of
from portal.audit.models import AuditEvent
from portal.users.accounts import grant_role, join_team
from portal.users.models import Role, Team, User

pytestmark = pytest.mark.django_db
SETUP = system("setup")
LABEL, KEY = "tests.policy", "7"


def person(name: str, **fields: object) -> User:
    return User.objects.create(username=name, email=f"{name}@example.com", **fields)


@pytest.fixture
def team() -> Team:
    return Team.objects.create(name="payments")


@pytest.fixture
def rule(team: Team) -> ApprovalRule:
    """A role, a team and a name: any of them will do."""
    bob, carol, dora = person("bob"), person("carol"), person("dora")
    grant_role(SETUP, bob, Role.RELEASE_MANAGER)
    join_team(SETUP, team, carol)
    made = ApprovalRule.objects.create(
        policy_label=LABEL, policy_key=KEY, name="anybody of them", role=Role.RELEASE_MANAGER, team=team
    )
    made.people.add(dora)
    return made


def test_role_team_and_name_all_count(rule: ApprovalRule) -> None:
    assert eligible_people(PinnedRule.of_row(rule)) == {"bob", "carol", "dora"}


def test_closed_accounts_and_superusers_do_not(rule: ApprovalRule) -> None:
    User.objects.filter(username="bob").update(is_active=False)
    person("root", is_superuser=True)
    assert eligible_people(PinnedRule.of_row(rule)) == {"carol", "dora"}


def test_a_superuser_is_no_holder_of_the_role_of_admins() -> None:
    person("root", is_superuser=True)
    made = ApprovalRule.objects.create(policy_label=LABEL, policy_key=KEY, name="admins", role=Role.PLATFORM_ADMIN)
    assert eligible_people(PinnedRule.of_row(made)) == set()


def test_a_rule_that_names_nobody_is_for_nobody() -> None:
    person("bob")
    made = ApprovalRule.objects.create(policy_label=LABEL, policy_key=KEY, name="empty")
    assert eligible_people(PinnedRule.of_row(made)) == set()


def test_a_pinned_rule_comes_back_as_it_was(rule: ApprovalRule) -> None:
    pinned = PinnedRule.of_row(rule)
    assert PinnedRule.of_json(pinned.as_json()) == pinned


def test_only_rules_that_speak_of_the_repository_ask(rule: ApprovalRule) -> None:
    ApprovalRule.objects.update(repository_globs=["payments/**"])
    rules = rules_of(LABEL, KEY)
    assert [need.name for need in needs_for(rules, "payments/api", set())] == ["anybody of them"]
    assert needs_for(rules, "billing/api", set()) == []


def test_rules_that_are_off_ask_nobody(rule: ApprovalRule) -> None:
    ApprovalRule.objects.update(is_active=False)
    assert rules_of(LABEL, KEY) == []


def test_who_is_left_out_is_left_out(rule: ApprovalRule) -> None:
    (need,) = needs_for(rules_of(LABEL, KEY), "any", {"bob", "carol"})
    assert need.eligible == {"dora"}


def test_policies_that_name_somebody(rule: ApprovalRule) -> None:
    for name in ("bob", "carol", "dora"):
        assert policies_of(User.objects.get(username=name), LABEL) == [KEY]
    assert policies_of(person("root", is_superuser=True), LABEL) == []


def test_the_last_word_of_the_round_counts(team: Team) -> None:
    bob, carol = person("bob"), person("carol")
    said = [
        (1, carol, Decision.Verdict.APPROVE),
        (2, bob, Decision.Verdict.APPROVE),
        (2, bob, Decision.Verdict.WITHDRAW),
        (2, bob, Decision.Verdict.APPROVE),
    ]
    for number, user, verdict in said:
        record_decision(user.actor, user, team, verdict, round_number=number, version=1, evidence_digest="sha256:x")
    assert approvers(decisions_on(team), 2) == ["bob"]
    assert approvers(decisions_on(team), 1) == ["carol"]
    assert list(AuditEvent.objects.order_by("id").values_list("verb", flat=True))[-2:] == [
        "team.withdrawn",
        "team.approved",
    ]
