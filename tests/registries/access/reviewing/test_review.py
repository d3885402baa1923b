"""Which grants should somebody look at again, who may, and what became of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.http.problem import Problem
from registries.access.credential.credentials import issue_robot_secret, revoke_secret
from registries.access.models import AccessRule, Namespace
from registries.access.reviewing.review import (
    Odd,
    covered_now,
    findings_of,
    grants_kept_by,
    grants_seen_by,
    to_review,
    with_findings,
)
from registries.access.reviewing.review_changes import end_grants, keep_grants
from registries.access.reviewing.review_reminder import quarter_start, remind_reviewers
from tests.registries.access.cast import make_registry, make_robot, make_team
from tests.registries.access.town import Town, in_days, mailed, make_town

pytestmark = pytest.mark.django_db


@pytest.fixture
def town() -> Town:
    return make_town()


def rule(town: Town, *, age_days: float = 0, used_days: float | None = None, **fields: Any) -> AccessRule:
    """A grant on names of payments that nothing is odd about, but for what is given."""
    base = {"registry": town.prod, "pattern": "payments/api", "ends_at": in_days(30)}
    made = AccessRule.objects.create(**{**base, **fields})
    used = None if used_days is None else in_days(-used_days)
    AccessRule.objects.filter(pk=made.pk).update(created_at=in_days(-age_days), last_used_at=used)
    return AccessRule.objects.get(pk=made.pk)


def odd(row: AccessRule, days: int = 90) -> set[str]:
    return {finding.code for finding in found(row, days)}


def found(row: AccessRule, days: int = 90) -> list[Odd]:
    now = timezone.now()
    covered = covered_now(now)
    fresh = with_findings(AccessRule.objects.filter(pk=row.pk), now, days, covered).get()
    return findings_of(fresh, covered)


def test_what_is_new_and_ends_is_not_odd(town: Town) -> None:
    assert odd(rule(town, user=town["dora"])) == set()


def test_unused_and_never_used(town: Town) -> None:
    assert odd(rule(town, user=town["dora"], age_days=91)) == {"never-used"}
    assert odd(rule(town, user=town["sue"], age_days=400, used_days=95)) == {"unused"}
    assert odd(rule(town, user=town["sam"], age_days=400, used_days=5)) == set()
    assert odd(rule(town, user=town["rita"], age_days=400, used_days=35), days=30) == {"unused"}


def test_ends(town: Town) -> None:
    assert odd(rule(town, user=town["dora"], ends_at=None)) == {"no-end"}
    assert odd(rule(town, user=town["sue"], ends_at=in_days(400))) == {"far-end"}


def test_those_who_are_gone(town: Town) -> None:
    town["dora"].is_active = False
    town["dora"].save()
    assert odd(rule(town, user=town["dora"])) == {"gone"}
    assert odd(rule(town, team=make_team("empty"))) == {"gone"}
    retired = make_robot("old", town.shop, "consumer")
    retired.is_active = False
    retired.save()
    assert odd(rule(town, robot=retired)) == {"gone"}


def test_robots_that_could_not_use_it(town: Town) -> None:
    grant = rule(town, robot=town.robbie)
    assert odd(grant) == {"no-secret"}
    secret, _ = issue_robot_secret(town["ada"].actor, town.robbie, "runner", None)
    assert odd(grant) == set()
    revoke_secret(town["ada"].actor, secret)
    assert odd(grant) == {"no-secret"}


def test_what_another_rule_gives_as_well(town: Town) -> None:
    wide = rule(town, team=town.shop, pattern="payments/**")
    narrow = rule(town, user=town["dora"], ends_at=in_days(20))
    assert (odd(wide), odd(narrow)) == (set(), {"covered"})
    assert found(narrow)[0].rule == wide.pk
    assert odd(rule(town, user=town["charlie"], ends_at=in_days(20))) == set()
    assert odd(rule(town, user=town["dora"], ends_at=in_days(200))) == set()
    assert odd(rule(town, user=town["dora"], may_delete=True, ends_at=in_days(20))) == set()


def test_of_two_alike_the_older_stays(town: Town) -> None:
    first, second = rule(town, user=town["dora"]), rule(town, user=town["dora"])
    AccessRule.objects.update(ends_at=in_days(9))
    assert (odd(first), odd(second)) == (set(), {"covered"})


def test_a_narrower_place_network_or_start_covers_nothing(town: Town) -> None:
    grant = rule(town, user=town["dora"], registry=None, zone=town.prod.zone)
    eu = make_registry("prod-eu", "prod", primary=town.prod)
    for fields in ({"registry": eu}, {"networks": "10.0.0.0/8"}, {"starts_at": in_days(1)}):
        AccessRule.objects.create(team=town.shop, pattern="payments/**", ends_at=in_days(90), **fields)
    assert odd(grant) == set()


def test_who_sees_and_who_keeps_what(town: Town) -> None:
    ours = rule(town, user=town["dora"], ends_at=None)
    robots = rule(town, robot=town.robbie, pattern="nobody/x", ends_at=None)
    other = rule(town, user=town["dora"], pattern="paymentsb/x", ends_at=None)
    everywhere = rule(town, user=town["dora"], registry=None, ends_at=None)
    whole = {ours, robots, other, everywhere}
    names = ("bob", "sue", "dora", "charlie", "ada", "sam", "audrey", "rita")
    seen = {name: set(grants_seen_by(town[name])) for name in names}
    kept = {name: set(grants_kept_by(town[name])) for name in names}
    assert seen == {
        "bob": {ours}, "sue": {robots}, "dora": set(), "charlie": set(), "ada": whole, "sam": whole, "audrey": whole, "rita": whole,
    }  # fmt: skip
    assert kept == {**seen, "audrey": set(), "rita": set()}


def test_names_inside_a_prefix_that_are_anothers_are_anothers(town: Town) -> None:
    ledger = make_team("ledger", maintainers=(town["charlie"],))
    Namespace.objects.create(zone=town.prod.zone, prefix="payments/ledger", team=ledger)
    Namespace.objects.create(zone=town.prod.zone, prefix="payments/ledger/ui", team=town.payments)
    theirs = rule(town, user=town["dora"], pattern="payments/ledger/**")
    back = rule(town, user=town["dora"], pattern="payments/ledger/ui")
    assert set(grants_kept_by(town["charlie"])) == {theirs}
    assert set(grants_kept_by(town["bob"])) == {back}


def test_what_was_kept_is_asked_about_again_later(town: Town) -> None:
    grant = rule(town, user=town["dora"], ends_at=None)
    now = timezone.now()
    assert list(to_review(grants_kept_by(town["bob"]), now)) == [grant]
    assert keep_grants(town["bob"], [grant.pk]) == [grant]
    grant.refresh_from_db()
    assert grant.reviewed_by == town["bob"]
    assert not to_review(grants_kept_by(town["bob"]), now).exists()
    assert to_review(grants_kept_by(town["bob"]), now + timedelta(days=91)).exists()
    assert AuditEvent.objects.get(verb="accessrule.kept").actor_name == "bob"


def test_ending_now_and_on_a_day(town: Town) -> None:
    now_rule, day_rule = rule(town, user=town["dora"], ends_at=None), rule(town, user=town["sue"], ends_at=None)
    end_grants(town["bob"], [now_rule.pk])
    end_grants(town["bob"], [day_rule.pk], in_days(5))
    now_rule.refresh_from_db()
    day_rule.refresh_from_db()
    assert now_rule.ends_at is not None
    assert now_rule.ends_at <= timezone.now()
    assert day_rule.ends_at is not None
    assert timedelta(days=4) < day_rule.ends_at - timezone.now() < timedelta(days=5)
    assert AuditEvent.objects.filter(verb="accessrule.ended").count() == 2


def test_a_review_never_makes_anything_last_longer(town: Town) -> None:
    grant = rule(town, user=town["dora"], ends_at=in_days(3))
    end_grants(town["bob"], [grant.pk], in_days(300))
    grant.refresh_from_db()
    assert grant.ends_at is not None
    assert grant.ends_at < in_days(4)
    with pytest.raises(Problem, match="is past"):
        end_grants(town["bob"], [grant.pk], in_days(-1))


@pytest.mark.parametrize("who", ["charlie", "dora", "sue", "audrey", "rita"])
def test_others_change_nothing(town: Town, who: str) -> None:
    grant = rule(town, user=town["dora"], ends_at=None)
    denial = AccessRule.objects.create(effect="deny", pattern="payments/x", registry=town.prod)
    before = list(AccessRule.objects.order_by("pk").values())
    for key in (grant.pk, denial.pk, 10**9):
        assert keep_grants(town[who], [key]) == []
        assert end_grants(town[who], [key]) == []
    assert list(AccessRule.objects.order_by("pk").values()) == before


def test_denials_and_drafts_are_not_reviewed(town: Town) -> None:
    denial = AccessRule.objects.create(effect="deny", pattern="payments/x", registry=town.prod)
    draft = rule(town, user=town["dora"], is_draft=True)
    assert end_grants(town["ada"], [denial.pk, draft.pk]) == []


def test_a_grant_that_has_not_begun_never_does(town: Town) -> None:
    grant = rule(town, user=town["dora"], starts_at=in_days(5))
    end_grants(town["bob"], [grant.pk])
    grant.refresh_from_db()
    grant.full_clean()
    assert grant.ends_at is not None
    assert grant.ends_at <= timezone.now()


def test_reviewers_are_reminded_once_a_quarter(town: Town) -> None:
    rule(town, user=town["dora"], ends_at=None)
    now = timezone.now()
    assert remind_reviewers(now) == 3
    assert mailed("access_review.due") == {"alice", "bob", "ada"}
    assert remind_reviewers(now) == 0
    assert remind_reviewers(quarter_start(now) + timedelta(days=100)) == 3


def test_quarters() -> None:
    starts = {quarter_start(datetime(2026, month, 17, tzinfo=timezone.now().tzinfo)).month for month in range(1, 13)}
    assert starts == {1, 4, 7, 10}
