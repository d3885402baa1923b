"""Dora asks for access with a reason and an end, bob decides, and it ends by itself."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from portal.approvals.models import Decision
from portal.audit.models import AuditEvent
from portal.http.problem import Problem
from portal.outbox.models import Message
from portal.users.models import Membership
from registries.access.asking.endings import KEPT, mind_grants
from registries.access.asking.request_decisions import grant_access, refuse_access
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.request_rights import deciders_of, requests_seen_by, right_to_decide, waiting_for
from registries.access.asking.requests import MOST_WAITING, ask_again, ask_for_access, withdraw_request
from registries.access.models import AccessRule, Namespace, Restriction
from registries.access.queries import may
from registries.topology.models import Reach
from tests.registries.access.cast import make_registry, make_robot, make_team
from tests.registries.access.town import Town, in_days, leave, mailed, make_town

pytestmark = pytest.mark.django_db


@pytest.fixture
def town() -> Town:
    return make_town()


def refused(call: Any, *args: Any, **kwargs: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        call(*args, **kwargs)
    return caught.value


def test_a_developer_asks_a_maintainer_grants_and_it_ends_by_itself(town: Town) -> None:
    assert not may(town["dora"], "pull", town.prod, "payments/api")
    request = town.ask()
    assert mailed("access_request.asked") == {"alice", "bob"}
    grant_access(town["bob"], request, request.version, comment="welcome")
    assert may(town["dora"], "pull", town.prod, "payments/api")
    rule = AccessRule.objects.get()
    assert (rule.user, rule.ends_at, rule.registry) == (town["dora"], request.ends_at, town.prod)
    assert f"request {request.pk} of dora: comparing" in rule.reason
    assert mailed("access_request.granted") == {"dora"}
    decision = Decision.objects.get()
    assert (decision.user, decision.verdict, decision.subject_key) == (town["bob"], "approve", str(request.pk))
    verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert {"accessrequest.asked", "accessrequest.approved", "accessrule.granted"} <= verbs
    AccessRule.objects.get().save()
    rule.ends_at = timezone.now() - timedelta(seconds=1)
    rule.save()
    assert not may(town["dora"], "pull", town.prod, "payments/api")


def test_a_maintainer_may_grant_less_than_was_asked(town: Town) -> None:
    request = town.ask(actions=("pull",), pattern="payments/**")
    soon = in_days(7)
    grant_access(town["alice"], request, request.version, pattern="payments/api", ends_at=soon)
    assert request.rule is not None
    assert (request.rule.pattern, request.rule.ends_at) == ("payments/api", soon)
    assert may(town["dora"], "pull", town.prod, "payments/api")
    assert not may(town["dora"], "pull", town.prod, "payments/ledger")


@pytest.mark.parametrize(
    "wider",
    [
        {"pattern": "**"},
        {"pattern": "shop/**"},
        {"pattern": "payments-b/**"},
        {"pattern": "payments/../x"},
        {"actions": ("pull", "push")},
        {"actions": ("delete",)},
        {"ends_at": in_days(365)},
    ],
)
def test_nobody_grants_more_than_was_asked(town: Town, wider: dict[str, Any]) -> None:
    request = town.ask(ends_at=in_days(5))
    assert refused(grant_access, town["bob"], request, request.version, **wider).code == "not_narrower"
    assert not AccessRule.objects.exists()
    assert not Decision.objects.exists()


def test_a_refusal_says_why_and_the_requester_reads_it(town: Town) -> None:
    request = town.ask()
    assert refused(refuse_access, town["bob"], request, request.version, " \0 ").code == "comment_required"
    refuse_access(town["bob"], request, request.version, "Use the public base image.")
    assert request.state == "refused"
    assert "Use the public base image." in Message.objects.get(topic="access_request.refused").body
    assert not AccessRule.objects.exists()


@pytest.mark.parametrize("who", ["dora", "charlie", "sue", "sam", "audrey", "rita"])
def test_nobody_else_decides(town: Town, who: str) -> None:
    request = town.ask()
    assert refused(grant_access, town[who], request, request.version).code == "not_a_decider"
    assert refused(refuse_access, town[who], request, request.version, "no").code == "not_a_decider"
    request.refresh_from_db()
    assert request.state == "waiting"


def test_nobody_decides_about_their_own_not_even_a_platform_admin(town: Town) -> None:
    Membership.objects.create(team=town.payments, user=town["dora"], role="maintainer")
    request = town.ask("dora")
    assert town["dora"] not in deciders_of(request)
    assert "somebody else decides" in refused(grant_access, town["dora"], request, request.version).detail
    own = town.ask("ada", pattern="payments/api")
    assert refused(grant_access, town["ada"], own, own.version).code == "not_a_decider"
    grant_access(town["bob"], own, own.version)


def test_being_a_superuser_makes_nobody_a_decider(town: Town) -> None:
    root = town["charlie"]
    root.is_superuser = True
    root.save()
    right = right_to_decide(root, town.ask())
    assert (right.may_decide, right.sentence[:18]) == (False, "Being a superuser ")


def test_the_longest_prefix_decides_who_decides(town: Town) -> None:
    ledger = make_team("ledger", maintainers=(town["charlie"],))
    Namespace.objects.create(zone=town.prod.zone, prefix="payments/ledger", team=ledger)
    assert deciders_of(town.ask(pattern="payments/ledger/*")) == [town["charlie"]]
    assert set(deciders_of(town.ask(pattern="payments/api"))) == {town["alice"], town["bob"]}
    spanning = town.ask(pattern="payments/**")
    assert deciders_of(spanning) == [town["ada"]]
    assert "several teams (ledger, payments)" in right_to_decide(town["bob"], spanning).sentence
    assert refused(grant_access, town["bob"], spanning, spanning.version).code == "not_a_decider"


@pytest.mark.parametrize("pattern", ["nobody/x", "payments-b", "pay*", "**", "*/api"])
def test_what_nobody_owns_is_decided_by_platform_admins(town: Town, pattern: str) -> None:
    request = town.ask(pattern=pattern)
    assert deciders_of(request) == [town["ada"]]
    assert not right_to_decide(town["bob"], request).may_decide
    assert list(waiting_for(town["ada"])) == [request]
    assert not waiting_for(town["bob"]).exists()


def test_where_the_only_maintainer_asks_platform_admins_decide(town: Town) -> None:
    leave(town.payments, town["alice"])
    leave(town.payments, town["bob"])
    Membership.objects.create(team=town.payments, user=town["charlie"], role="maintainer")
    request = town.ask("charlie", subject=town["charlie"])
    assert deciders_of(request) == [town["ada"]]


def test_a_team_and_a_robot_are_asked_for_by_their_members(town: Town) -> None:
    for_team = town.ask(subject=town.shop)
    grant_access(town["bob"], for_team, for_team.version)
    assert may(town["sue"], "pull", town.prod, "payments/api")
    assert may(town.robbie, "pull", town.prod, "payments/api")
    for subject in (town.shop, town.robbie, town["dora"]):
        assert refused(town.ask, "charlie", subject=subject).code == "not_your_team"


def test_a_robot_never_exceeds_its_team_and_the_refusal_says_so(town: Town) -> None:
    problem = refused(town.ask, subject=town.robbie)
    assert (problem.code, problem.extra["team"]) == ("beyond_team", "shop")
    assert "Ask for the team" in problem.detail


def test_what_a_hard_rule_forbids_cannot_be_asked_for(town: Town) -> None:
    for action, word in (("push", "promotion pipeline"), ("delete", "cleanup plan")):
        problem = refused(town.ask, actions=(action,))
        assert (problem.code, word in problem.detail) == ("would_not_help", True)
    assert refused(town.ask, subject=town.robbie, registry=town.sandbox).code == "would_not_help"


def test_what_a_rule_denies_cannot_be_asked_for(town: Town) -> None:
    AccessRule.objects.create(effect="deny", team=town.shop, pattern="payments/**", reason="case 17")
    problem = refused(town.ask)
    assert (problem.code, problem.extra["verdict"]) == ("would_not_help", "denied_by_rule")


def test_what_is_forbidden_only_for_a_while_can(town: Town) -> None:
    freeze = {"forbids_pull": True, "code": "freeze", "reason": "audit week", "starts_at": timezone.now()}
    Restriction.objects.create(pattern="**", ends_at=in_days(2), **freeze)
    town.ask(ends_at=in_days(20))
    assert refused(town.ask, ends_at=in_days(1)).code == "would_not_help"


def test_what_is_allowed_already_is_not_asked_for(town: Town) -> None:
    assert refused(town.ask, "alice", registry=town.sandbox).code == "already_allowed"
    town.granted(ends_at=in_days(10))
    assert refused(town.ask, ends_at=in_days(9), pattern="payments/api").code == "already_allowed"
    town.ask(ends_at=in_days(20))


def test_nothing_waits_twice(town: Town) -> None:
    first = town.ask()
    assert refused(town.ask, ends_at=in_days(3)).extra["request"] == first.pk
    withdraw_request(town["dora"], first)
    town.ask()
    town.ask(subject=town.shop)
    assert refused(town.ask, "sue", subject=town.shop).code == "already_waiting"


def test_nobody_fills_the_inboxes_of_others(town: Town) -> None:
    for number in range(MOST_WAITING):
        town.ask(pattern=f"payments/{number}")
    assert refused(town.ask, pattern="payments/one-more").code == "too_many"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pattern": ""}, "bad_pattern"),
        ({"pattern": "Payments/api"}, "bad_pattern"),
        ({"pattern": "/payments"}, "bad_pattern"),
        ({"pattern": "payments//api"}, "bad_pattern"),
        ({"pattern": "payments/\n"}, "bad_pattern"),
        ({"pattern": "a" * 256}, "bad_pattern"),
        ({"actions": ()}, "bad_actions"),
        ({"actions": ("pull", "own")}, "bad_actions"),
        ({"ends_at": in_days(-1)}, "bad_end"),
        ({"ends_at": in_days(400)}, "bad_end"),
        ({"reason": " \0 "}, "reason_required"),
        ({"reason": "x" * 2001}, "reason_required"),
    ],
)
def test_bad_wishes(town: Town, changes: dict[str, Any], code: str) -> None:
    assert refused(town.ask, **changes).code == code
    assert not AccessRequest.objects.exists()


def test_where_no_rule_reaches_one_asks_somebody_else(town: Town) -> None:
    hub = make_registry("hub", "upstream", reach=Reach.OBSERVED, contact="#hub")
    assert "#hub" in refused(town.ask, registry=hub).detail
    cache = make_registry("prod-cache", "cache", fronts=town.prod)
    assert "Ask for prod." in refused(town.ask, registry=cache).detail


def test_only_the_requester_takes_it_back_and_only_while_it_waits(town: Town) -> None:
    request = town.ask()
    assert refused(withdraw_request, town["sue"], request).code == "not_yours"
    grant_access(town["bob"], request, request.version)
    assert refused(withdraw_request, town["dora"], request).code == "conflict"


def test_a_stale_page_cannot_decide(town: Town) -> None:
    request = town.ask()
    AccessRequest.objects.filter(pk=request.pk).update(version=2)
    assert refused(grant_access, town["bob"], request, 1).code == "stale"
    grant_access(town["bob"], request, 2)
    assert refused(refuse_access, town["alice"], request, 3, "too late").code == "conflict"
    assert Decision.objects.count() == 1


def test_who_has_left_meanwhile_is_given_nothing(town: Town) -> None:
    own, for_team = town.ask(), town.ask(subject=town.shop)
    leave(town.shop, town["dora"])
    assert refused(grant_access, town["bob"], for_team, for_team.version).code == "requester_gone"
    town["dora"].is_active = False
    town["dora"].save()
    assert refused(grant_access, town["bob"], own, own.version).code == "requester_gone"
    assert refused(town.ask).code == "inactive"


def test_a_grant_that_would_change_nothing_by_now_is_not_made(town: Town) -> None:
    request = town.ask()
    AccessRule.objects.create(effect="deny", user=town["dora"], pattern="**")
    assert refused(grant_access, town["bob"], request, request.version).code == "would_not_help"


def test_what_nobody_decides_lapses(town: Town) -> None:
    request = town.ask(ends_at=in_days(2))
    assert mind_grants(in_days(1)) == 0
    assert mind_grants(in_days(3)) == 1
    request.refresh_from_db()
    assert request.state == "lapsed"
    assert mailed("access_request.lapsed") == {"dora"}
    assert refused(grant_access, town["bob"], request, request.version).code == "conflict"


def test_the_holder_is_told_three_days_and_one_day_before_the_end(town: Town) -> None:
    rule = town.granted(ends_at=in_days(10))
    assert mind_grants(in_days(6)) == 0
    assert [mind_grants(in_days(days)) for days in (7.5, 8, 9.5, 9.6)] == [1, 0, 1, 0]
    told = list(Message.objects.filter(topic="access_grant.ending").order_by("pk"))
    assert [("within 3 days" in told[0].title), ("within a day" in told[1].title)] == [True, True]
    assert {row.destination for row in told} == {"dora@example.com"}
    assert f"/access/requests/{rule.request.pk}/" in told[0].body


def test_the_clock_does_it_all(town: Town) -> None:
    from registries.access import tasks

    town.granted(ends_at=in_days(2))
    assert tasks.mind_grants() == 1
    assert tasks.remind_reviewers() == 0
    assert tasks.mind_grants() == 0


def test_of_a_robot_its_team_is_told(town: Town) -> None:
    AccessRule.objects.create(team=town.shop, pattern="payments/**", registry=town.prod)
    AccessRule.objects.create(robot=town.robbie, pattern="payments/api", registry=town.prod, ends_at=in_days(2))
    mind_grants(timezone.now())
    assert mailed("access_grant.ending") == {"sue"}


def test_one_click_asks_for_as_long_again(town: Town) -> None:
    rule = town.granted(ends_at=in_days(10))
    again = ask_again(town["dora"], rule.request)
    assert rule.ends_at is not None
    assert abs(again.ends_at - (rule.ends_at + timedelta(days=10))) < timedelta(minutes=1)
    assert again.reason.startswith(f"Prolongs request {rule.request.pk}: comparing")
    assert refused(ask_again, town["dora"], again).code == "not_granted"
    assert refused(ask_again, town["charlie"], rule.request).code == "not_your_team"


def test_ended_grants_are_kept_for_a_while(town: Town) -> None:
    town.granted(ends_at=in_days(10))
    by_hand = AccessRule.objects.create(user=town["dora"], ends_at=in_days(10))
    mind_grants(in_days(10) + KEPT - timedelta(hours=1))
    assert AccessRule.objects.count() == 2
    mind_grants(in_days(11) + KEPT)
    assert list(AccessRule.objects.all()) == [by_hand]
    assert AccessRequest.objects.get().state == "granted"
    assert AuditEvent.objects.filter(verb="accessrule.removed").count() == 1


def test_who_sees_a_request(town: Town) -> None:
    own, for_team = town.ask(), town.ask(subject=town.shop)
    seen = {name: set(requests_seen_by(town[name])) for name in ("dora", "sue", "bob", "charlie", "audrey", "ada")}
    both = {own, for_team}
    assert seen == {
        "dora": both, "sue": {for_team}, "bob": both, "charlie": set(), "audrey": both, "ada": both,
    }  # fmt: skip


def test_a_robot_of_a_foreign_team_is_no_ones_to_ask_for(town: Town) -> None:
    foreign = make_robot("pay-web", town.payments, "consumer")
    assert refused(town.ask, subject=foreign).code == "not_your_team"
    assert refused(ask_for_access, town["dora"], town.wish(town["sue"]), "for her").code == "not_your_team"
