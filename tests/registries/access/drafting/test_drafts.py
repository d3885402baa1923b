"""Drafts become rules together, at one moment, as long as they are what was seen; or they are thrown away."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.http.problem import Problem
from portal.jobs.run import run_job
from portal.users.accounts import grant_role
from portal.users.models import Role, User
from registries.access.drafting.drafts import discard_drafts, put_in_force, version_of
from registries.access.drafting.trial_models import DraftTrial
from registries.access.drafting.trials import order_trial, put_trial_in_force
from registries.access.models import AccessRule
from registries.access.queries import may
from tests.registries.access.cast import ADMIN, make_person
from tests.registries.access.drafting.test_hold_drafts import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop()


@pytest.fixture
def ada(db: None) -> User:
    user = make_person("ada")
    grant_role(ADMIN, user, Role.PLATFORM_ADMIN)
    return user


@pytest.fixture
def browser(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def test_drafts_are_in_force_together_and_what_they_replace_ends(shop: Shop) -> None:
    narrow = shop.draft(team=shop.team, pattern="payments/api", replaces=shop.rule)
    other = shop.draft(user=shop.alice, pattern="shop/**")
    assert may(shop.alice, "pull", shop.prod, "payments/ledger")
    put_in_force(ADMIN, [narrow, other])
    assert not may(shop.alice, "pull", shop.prod, "payments/ledger")
    assert may(shop.alice, "pull", shop.prod, "payments/api")
    assert may(shop.alice, "pull", shop.prod, "shop/web")
    shop.rule.refresh_from_db()
    assert shop.rule.ends_at is not None
    assert shop.rule.ends_at <= timezone.now()
    assert not AccessRule.objects.filter(is_draft=True).exists()
    verbs = list(AuditEvent.objects.filter(verb__startswith="accessrule").values_list("verb", flat=True))
    assert sorted(verbs) == ["accessrule.ended", "accessrule.put_in_force", "accessrule.put_in_force"]


def test_a_rule_ends_only_when_what_replaces_it_begins(shop: Shop) -> None:
    later = timezone.now() + timedelta(days=3)
    put_in_force(ADMIN, [shop.draft(team=shop.team, pattern="payments/api", replaces=shop.rule, starts_at=later)])
    shop.rule.refresh_from_db()
    assert shop.rule.ends_at == later


def test_a_rule_that_has_not_begun_never_will(shop: Shop) -> None:
    begins = timezone.now() + timedelta(days=3)
    AccessRule.objects.filter(pk=shop.rule.pk).update(starts_at=begins)
    shop.rule.refresh_from_db()
    put_in_force(ADMIN, [shop.draft(team=shop.team, pattern="payments/api", replaces=shop.rule)])
    shop.rule.refresh_from_db()
    assert shop.rule.ends_at == begins


def test_what_changed_since_it_was_seen_is_not_put_in_force(shop: Shop) -> None:
    draft = shop.draft(team=shop.team, pattern="payments/api", replaces=shop.rule)
    seen = version_of([draft])
    assert version_of([AccessRule.objects.get(pk=draft.pk)]) == seen
    for row, fields in ((draft, {"pattern": "payments/*"}), (shop.rule, {"may_push": True})):
        AccessRule.objects.filter(pk=row.pk).update(**fields)
        with pytest.raises(Problem) as refused:
            put_in_force(ADMIN, [draft], seen=seen)
        assert refused.value.code == "draft_changed"
        seen = version_of([AccessRule.objects.get(pk=draft.pk)])
    assert AccessRule.objects.get(pk=draft.pk).is_draft
    put_in_force(ADMIN, [draft], seen=seen)


def test_a_use_of_a_rule_is_no_change_of_it(shop: Shop) -> None:
    draft = shop.draft(team=shop.team, replaces=shop.rule)
    seen = version_of([draft])
    AccessRule.objects.filter(pk=shop.rule.pk).update(last_used_at=timezone.now())
    assert version_of([draft]) == seen


def test_what_is_no_draft_any_more_is_refused_whole(shop: Shop) -> None:
    first, second = shop.draft(pattern="a/**"), shop.draft(pattern="b/**")
    put_in_force(ADMIN, [first])
    for wanted in ([first, second], [], [shop.rule]):
        with pytest.raises(Problem) as refused:
            put_in_force(ADMIN, wanted)
        assert refused.value.code == "no_draft"
    second.ends_at = timezone.now() - timedelta(days=1)
    second.save()
    with pytest.raises(Problem) as refused:
        put_in_force(ADMIN, [second])
    assert refused.value.code == "ended_draft"


def test_drafts_are_thrown_away_and_rules_stay(shop: Shop) -> None:
    draft = shop.draft(pattern="a/**")
    assert discard_drafts(ADMIN, [draft, shop.rule]) == 1
    assert list(AccessRule.objects.all()) == [shop.rule]
    assert AuditEvent.objects.filter(verb="accessrule.discarded", object_key=str(draft.pk)).exists()


def tried(shop: Shop, *drafts: AccessRule, without: tuple[AccessRule, ...] = ()) -> DraftTrial:
    trial = order_trial(ADMIN, drafts, without)
    done = run_job(DraftTrial, trial.pk)
    assert done is not None
    return done


def test_a_trial_is_a_job_and_its_result_a_row(shop: Shop) -> None:
    shop.asked("alice", "payments/ledger", 4)
    draft = shop.draft(team=shop.team, pattern="payments/api", replaces=shop.rule)
    trial = tried(shop, draft)
    assert (trial.state, trial.refused_count, trial.allowed_count) == ("done", 4, 0)
    assert trial.result["rows"][0]["repository"] == "payments/ledger"
    assert "in place of rule" in trial.about
    assert put_trial_in_force(ADMIN, trial) == 1
    assert not may(shop.alice, "pull", shop.prod, "payments/ledger")


def test_rules_left_out_of_a_trial_end_with_it(shop: Shop) -> None:
    trial = tried(shop, shop.draft(user=shop.alice, pattern="payments/**"), without=(shop.rule,))
    put_trial_in_force(ADMIN, trial)
    shop.rule.refresh_from_db()
    assert shop.rule.ends_at is not None
    assert may(shop.alice, "pull", shop.prod, "payments/api")


def test_a_trial_of_other_drafts_than_there_are_puts_nothing_in_force(shop: Shop) -> None:
    draft = shop.draft(user=shop.alice, pattern="shop/**")
    trial = tried(shop, draft)
    AccessRule.objects.filter(pk=draft.pk).update(pattern="**")
    with pytest.raises(Problem) as refused:
        put_trial_in_force(ADMIN, trial)
    assert refused.value.code == "draft_changed"
    discard_drafts(ADMIN, [draft])
    with pytest.raises(Problem) as refused:
        put_trial_in_force(ADMIN, trial)
    assert refused.value.code == "no_draft"
    assert tried(shop, shop.draft(pattern="x/**")).state == "done"
    unfinished = order_trial(ADMIN, [shop.draft(pattern="y/**")])
    with pytest.raises(Problem) as refused:
        put_trial_in_force(ADMIN, unfinished)
    assert refused.value.code == "not_tried"


def test_a_trial_whose_drafts_are_gone_fails_with_a_sentence(shop: Shop) -> None:
    draft = shop.draft(pattern="a/**")
    trial = order_trial(ADMIN, [draft])
    discard_drafts(ADMIN, [draft])
    done = run_job(DraftTrial, trial.pk)
    assert done is not None
    assert (done.state, done.reason_code) == ("failed", "no_draft")
    with pytest.raises(Problem):
        order_trial(ADMIN, [shop.rule], [])


TRIALS = "/admin/access/drafttrial/"


def test_from_the_list_of_rules_to_a_policy_in_force(shop: Shop, browser: Client) -> None:
    shop.asked("alice", "payments/ledger", 4)
    draft = shop.draft(team=shop.team, pattern="payments/api", replaces=shop.rule)
    answer = browser.post(
        "/admin/access/accessrule/", {"action": "hold_selected", "_selected_action": [draft.pk]}, follow=True
    )
    trial = DraftTrial.objects.get()
    assert answer.redirect_chain[-1][0] == f"{TRIALS}{trial.pk}/change/"
    assert b"Waiting for a worker" in answer.content
    run_job(DraftTrial, trial.pk)
    page = browser.get(f"{TRIALS}{trial.pk}/change/").content.decode()
    assert "4 requests of the last 30 days would be refused newly" in page
    assert "payments/ledger" in page
    assert "What a credential narrows is not in it" in page
    lines = browser.get(f"{TRIALS}{trial.pk}/rows.csv").content.decode().splitlines()
    assert lines[1].startswith("refused,alice,prod,payments/ledger,pull,4")
    assert browser.get(f"{TRIALS}{trial.pk}/rows.json").json()["refused"]["requests"] == 4
    browser.post(f"{TRIALS}{trial.pk}/put/")
    assert not may(shop.alice, "pull", shop.prod, "payments/ledger")
    assert "in force by now" in browser.get(f"{TRIALS}{trial.pk}/change/").content.decode()


def test_the_form_for_a_new_trial_asks_for_something_to_try(shop: Shop, browser: Client) -> None:
    draft = shop.draft(pattern="a/**")
    for data in ({}, {"leave_out": "999"}, {"leave_out": "x"}, {"chosen": [shop.rule.pk]}):
        assert browser.post(f"{TRIALS}add/", data).status_code == 200
    assert not DraftTrial.objects.exists()
    browser.post(f"{TRIALS}add/", {"chosen": [draft.pk], "leave_out": f"{shop.rule.pk}"})
    trial = DraftTrial.objects.get()
    assert (trial.drafts, trial.without) == ([draft.pk], [shop.rule.pk])


def test_rules_in_force_alone_are_left_out_when_chosen_and_drafts_are_thrown_away(shop: Shop, browser: Client) -> None:
    data: dict[str, Any] = {"action": "hold_selected", "_selected_action": [shop.rule.pk]}
    browser.post("/admin/access/accessrule/", data)
    assert DraftTrial.objects.get().without == [shop.rule.pk]
    draft = shop.draft(pattern="a/**")
    data = {"action": "discard_selected", "_selected_action": [shop.rule.pk, draft.pk]}
    assert "1 thrown away" in browser.post("/admin/access/accessrule/", data, follow=True).content.decode()


def test_an_auditor_reads_a_trial_and_puts_nothing_in_force(shop: Shop, client: Client) -> None:
    audrey = make_person("audrey")
    grant_role(ADMIN, audrey, Role.AUDITOR)
    client.force_login(audrey)
    draft = shop.draft(pattern="a/**")
    trial = tried(shop, draft)
    page = client.get(f"{TRIALS}{trial.pk}/change/").content.decode()
    assert "Platform admins order trials" in page
    assert not re.search(r"/put/\"", page)
    for where in ("put", "again"):
        client.post(f"{TRIALS}{trial.pk}/{where}/")
        assert client.get(f"{TRIALS}{trial.pk}/{where}/").status_code == 405
    assert AccessRule.objects.get(pk=draft.pk).is_draft
    assert DraftTrial.objects.count() == 1
