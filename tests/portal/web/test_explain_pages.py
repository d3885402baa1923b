"""Explanations in the portal and in the admin, a draft by one click, and who used what."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from portal.users.models import Membership, Role, Team
from registries.access.counts.record_models import AccessUse, Denial, TokenCount
from registries.access.credential.credentials import Narrowing, issue_personal_token, issue_robot_secret
from registries.access.models import AccessRule, Namespace, RobotAccount
from registries.topology.models import Registry
from tests.portal.web.cast import Company, person
from tests.portal.web.conftest import SignIn

PULL = {"who": "alice", "action": "pull", "registry": "prod", "repository": "payments/api"}
EXPLAIN, ADMIN_EXPLAIN = "/explain/", "/admin/explain/"


def words(page: str) -> str:
    """What a person reads."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def asked(client: Client, where: str = EXPLAIN, /, **question: str) -> str:
    return client.get(where, {**PULL, **question}).content.decode()


def denied(registry: Registry, who: str, name: str = "payments/api", action: str = "pull") -> Denial:
    now = timezone.now()
    return Denial.objects.create(
        registry=registry, principal=who, scope=f"repository:{name}:{action}", code="nothing_allows",
        reason=f"no rule lets {who} {action} from {registry}", first_at=now, last_at=now,
    )  # fmt: skip


def used(registry: Registry, who: str, name: str, count: int = 1, days: int = 0, granted: str = "pull") -> None:
    at = timezone.now() - timedelta(days=days)
    AccessUse.objects.create(
        fingerprint=f"{who}{name}{days}"[:32], day=at.date(), registry=registry, principal=who, repository=name, asked="pull",
        granted=granted, address="10.9.8.7", count=count, last_at=at,
    )  # fmt: skip


def test_a_no_says_what_would_change_it_and_who_can(company: Company, signed_in: SignIn) -> None:
    Membership.objects.create(team=company.payments, user=company.bob, role="maintainer")
    near = AccessRule.objects.create(
        team=company.payments, zone=company.prod.zone, pattern="payments/*/x", reason="the inner"
    )
    page = words(asked(signed_in(company.alice)))
    assert "a rule for team payments at prod: pull of payments/**" in page
    assert "maintainers of team payments: bob (#payments)" in page
    assert "platform admins: ada" in page
    assert "payments/*/x does not mean payments/api" in page
    assert f"accessrule/{near.pk}/" not in asked(signed_in(company.alice))
    assert f"accessrule/{near.pk}/change/" in asked(signed_in(company.ada))


def test_a_hard_rule_is_nobodys_and_the_way_round_it_is_a_link(company: Company, signed_in: SignIn) -> None:
    page = asked(signed_in(company.alice), action="push")
    assert "nobody: hard rule of prod zones" in words(page)
    assert "/r/ci-snapshots/payments/api/" in page


def test_what_lost_is_told_with_the_reason(company: Company, signed_in: SignIn) -> None:
    company.allow(company.alice, company.prod, "payments/**", reason="hers")
    AccessRule.objects.create(team=company.payments, effect="deny", pattern="payments/api", reason="withdrawn")
    page = words(asked(signed_in(company.alice)))
    assert "a denial beats every grant" in page
    assert "the end of rule" in page


def test_a_tag_and_the_registrys_host_do_no_harm(company: Company, signed_in: SignIn) -> None:
    page = words(asked(signed_in(company.alice), repository="prod.test/payments/api:1.4"))
    assert ":1.4 was left out of account" in page


def test_address_time_and_credential_are_taken_into_account(company: Company, signed_in: SignIn) -> None:
    soon = timezone.now() + timedelta(days=20)
    AccessRule.objects.create(
        team=company.payments, zone=company.prod.zone, pattern="payments/**", networks="10.0.0.0/8", starts_at=soon
    )
    alice = signed_in(company.alice)
    later = (soon + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    assert "may not pull" in words(asked(alice, address="10.1.1.1"))
    assert "may not pull" in words(asked(alice, at=later))
    page = words(asked(alice, address="10.1.1.1", at=later))
    assert "may pull" in page
    assert "by the rules as they are written now" in page
    stored, _ = issue_personal_token(company.alice.actor, company.alice, "pushes", None, Narrowing(actions="push"))
    page = words(asked(alice, address="10.1.1.1", at=later, credential=stored.handle))
    assert "this credential is good for push alone" in page
    assert "another credential" in page


def test_a_question_that_makes_no_sense_keeps_what_was_typed(company: Company, signed_in: SignIn) -> None:
    alice = signed_in(company.alice)
    for field, value in (("address", "10.0.0"), ("at", "next week"), ("at", "2026-02-31"), ("repository", "UPPER/x:1")):
        page = asked(alice, **{field: value})
        assert f'value="{value}"' in page
        assert "errorlist" in page


def test_the_secrets_of_others_are_no_choice(company: Company, signed_in: SignIn) -> None:
    robot = RobotAccount.objects.create(name="ci", kind="ci", team=company.payments)
    stored, _ = issue_robot_secret(company.ada.actor, robot, "runner", None, Narrowing(pattern="shop/**"))
    page = asked(signed_in(company.alice), who="robot.ci", registry="ci-snapshots", credential=stored.handle)
    assert "good for shop/** alone" in words(page)
    assert "a keyless login" in page
    other, _ = issue_personal_token(company.ada.actor, company.ada, "hers", None)
    assert "errorlist" in asked(signed_in(company.alice), credential=other.handle)


def test_whom_one_may_ask_about_is_offered(company: Company, signed_in: SignIn) -> None:
    RobotAccount.objects.create(name="ci", kind="ci", team=company.payments)

    def offered(page: str) -> list[str]:
        return re.findall(r'<option value="([^"]+)"></option>', page.partition("</datalist>")[0])

    assert offered(signed_in(company.charlie).get(EXPLAIN).content.decode()) == ["charlie", "anonymous"]
    assert offered(signed_in(company.alice).get(EXPLAIN).content.decode()) == ["alice", "robot.ci", "anonymous"]
    everybody = offered(signed_in(company.rita).get(EXPLAIN).content.decode())
    assert {"rita", "charlie", "robot.ci", "system:pipeline", "anonymous"} <= set(everybody)


def test_who_maintains_a_team_may_ask_about_its_members(company: Company, signed_in: SignIn) -> None:
    maria = person("maria")
    membership = Membership.objects.create(team=company.payments, user=maria, role="maintainer")
    client = signed_in(maria)
    assert client.get(EXPLAIN, PULL).status_code == 200
    assert client.get(EXPLAIN, {**PULL, "who": "charlie"}).status_code == 403
    assert client.get(EXPLAIN, {**PULL, "who": "nobody"}).status_code == 403
    membership.role = "member"
    membership.save()
    assert client.get(EXPLAIN, PULL).status_code == 403


def test_what_was_refused_leads_to_its_explanation(company: Company, signed_in: SignIn) -> None:
    denied(company.prod, "alice")
    page = signed_in(company.alice).get(EXPLAIN).content.decode()
    link = re.search(r'href="(/explain/\?[^"]+)"', page.partition("refused you lately")[2])
    assert link is not None
    answer = signed_in(company.alice).get(unescape(link[1])).content.decode()
    assert "may not pull" in words(answer)


@pytest.mark.parametrize("who", ["alice", "charlie"])
def test_a_refusal_becomes_a_draft_by_one_click_and_turns_the_verdict(
    company: Company, signed_in: SignIn, who: str
) -> None:
    row = denied(company.prod, who)
    ada = signed_in(company.ada)
    listed = ada.get("/admin/access/denial/").content.decode()
    link = re.search(r'href="(/admin/explain/\?[^"]+)"', listed)
    assert link is not None
    opened = ada.get(f"/admin/access/denial/{row.pk}/change/").content.decode()
    assert f'href="{link[1]}"' in opened
    page = ada.get(unescape(link[1])).content.decode()
    assert "Make it a draft" in page
    answer = ada.post(f"{ADMIN_EXPLAIN}draft/", {**PULL, "who": who, "number": "0"}, follow=True)
    draft = AccessRule.objects.get()
    assert answer.redirect_chain[-1][0] == f"/admin/access/accessrule/{draft.pk}/change/"
    assert draft.is_draft
    assert "may not pull" in words(asked(ada, who=who))
    AccessRule.objects.filter(pk=draft.pk).update(is_draft=False)
    draft.refresh_from_db()
    draft.save()
    assert "may pull" in words(asked(ada, who=who))


def test_where_no_rule_can_help_no_draft_is_offered_or_made(company: Company, signed_in: SignIn) -> None:
    ada = signed_in(company.ada)
    assert "Make it a draft" not in asked(ada, ADMIN_EXPLAIN, action="push")
    for changes in (
        {"action": "push", "number": "0"},
        {"number": "77"},
        {"number": "x"},
        {"repository": "", "number": "0"},
    ):
        answer = ada.post(f"{ADMIN_EXPLAIN}draft/", {**PULL, **changes}, follow=True)
        assert answer.redirect_chain[-1][0].startswith(ADMIN_EXPLAIN)
    assert not AccessRule.objects.exists()


def test_drafts_are_made_by_platform_admins_alone(company: Company, signed_in: SignIn) -> None:
    rita = signed_in(company.rita)
    assert "Make it a draft" not in asked(rita, ADMIN_EXPLAIN)
    assert rita.post(f"{ADMIN_EXPLAIN}draft/", {**PULL, "number": "0"}).status_code == 403
    assert signed_in(company.ada).get(f"{ADMIN_EXPLAIN}draft/").status_code == 405
    assert signed_in(company.alice).get(ADMIN_EXPLAIN, follow=True).status_code == 403


def test_a_persons_and_a_robots_page_in_the_admin_lead_to_a_question(company: Company, signed_in: SignIn) -> None:
    robot = RobotAccount.objects.create(name="ci", kind="ci", team=company.payments)
    ada = signed_in(company.ada)
    assert "/admin/explain/?who=alice" in ada.get(f"/admin/users/user/{company.alice.pk}/change/").content.decode()
    assert "/admin/explain/?who=robot.ci" in ada.get(f"/admin/access/robotaccount/{robot.pk}/change/").content.decode()


def test_uses_are_for_roles_and_for_the_teams_that_own_the_names(company: Company, signed_in: SignIn) -> None:
    other = Namespace.objects.create(zone=company.prod.zone, prefix="payments/secret", team=_team("shop"))
    used(company.prod, "robot.shop", "payments/api", 7)
    used(company.prod, "robot.shop", "finance/ledger", 3)
    used(company.prod, "robot.shop", f"{other.prefix}/x", 2)
    used(company.prod, "robot.shop", "payments/old", 2, days=31)
    mine = signed_in(company.alice).get("/uses/", {"registry": "prod"})
    assert [row.repository for row in mine.context["listing"].rows] == ["payments/api"]
    assert "10.9.8.7" not in mine.content.decode()
    everything = signed_in(company.rita).get("/uses/", {"registry": "prod"})
    assert len(everything.context["listing"].rows) == 3
    assert "10.9.8.7" in everything.content.decode()
    assert signed_in(company.charlie).get("/uses/", {"registry": "prod"}).status_code == 403
    assert (
        signed_in(company.charlie).get("/uses/", {"registry": "prod", "repository": "payments/api"}).status_code == 403
    )
    assert signed_in(company.rita).get("/uses/", {"registry": "none"}).status_code == 404


def _team(name: str) -> Team:
    return Team.objects.create(name=name)


def test_uses_of_one_repository_are_summed_and_exported(company: Company, signed_in: SignIn) -> None:
    used(company.prod, "robot.shop", "payments/api", 7)
    used(company.prod, "robot.shop", "payments/api", 5, days=2)
    used(company.prod, "charlie", "payments/api", 1, days=1, granted="")
    client = signed_in(company.alice)
    where = {"registry": "prod", "repository": "payments/api"}
    page = client.get("/uses/", where)
    assert [(row["principal"], row["requests"]) for row in page.context["people"]] == [
        ("robot.shop", 12),
        ("charlie", 1),
    ]
    refused = client.get("/uses/", {**where, "got": "refused"})
    assert [row.principal for row in refused.context["listing"].rows] == ["charlie"]
    rows = client.get("/uses/", {**where, "format": "json"}).json()["rows"]
    assert "address" not in rows[0]
    assert "Who used it lately?" in client.get("/r/prod/payments/api/").content.decode()


def test_a_repository_page_leads_to_uses_only_where_one_may_go(company: Company, signed_in: SignIn) -> None:
    company.allow(company.charlie, company.prod, "payments/**")
    assert "Who used it lately?" not in signed_in(company.charlie).get("/r/prod/payments/api/").content.decode()


def test_a_registry_says_how_much_is_asked_of_it(company: Company, signed_in: SignIn) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    for outcome, count, back in (("issued", 40, 0), ("narrowed", 5, 0), ("refused", 2, 24 * 3), ("issued", 9, 24 * 15)):
        TokenCount.objects.create(
            hour=hour - timedelta(hours=back), registry=company.prod, outcome=outcome, count=count
        )
    client = signed_in(company.charlie)
    page = client.get("/registries/prod/")
    found = page.context["requests"]
    assert (found.issued, found.narrowed, found.refused) == (40, 5, 2)
    assert found.hours[-1].total == 45
    assert "As a table" in page.content.decode()
    assert "No client has asked" in client.get("/registries/sandbox/").content.decode()
    assert "Who used it" not in page.content.decode()


def test_roles_see_everything_and_an_auditor_asks_about_anybody(company: Company, signed_in: SignIn) -> None:
    audrey = signed_in(person("audrey", Role.AUDITOR))
    assert audrey.get(ADMIN_EXPLAIN, PULL).status_code == 200
    assert "may not pull" in words(asked(audrey, ADMIN_EXPLAIN))
