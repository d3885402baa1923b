"""The admin's pages of access: bounded, without secrets, and the one page that shows one once."""

import re

import pytest
from django.apps import apps
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from portal.audit.models import AuditEvent
from portal.users.accounts import grant_role
from portal.users.models import Role, User
from registries.access.counts.record_models import Denial
from registries.access.credential.credentials import authenticate_secret
from registries.access.models import AccessRule, PersonalToken, RobotAccount, Secret
from registries.access.queries import may
from tests.registries.access.cast import (
    ADMIN,
    make_person,
    make_registry,
    make_robot,
    make_team,
    person_login,
    robot_login,
)

pytestmark = pytest.mark.django_db
SECRET = re.compile(r"ptr_[0-9a-f]{16}_[A-Za-z0-9_-]{43}")
PAGES = [
    model._meta.model_name
    for model in apps.get_app_config("access").get_models()
    if model._meta.model_name != "policyepoch"
]


@pytest.fixture
def ada() -> User:
    user = make_person("ada")
    grant_role(ADMIN, user, Role.PLATFORM_ADMIN)
    return user


@pytest.fixture
def browser(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def robot() -> RobotAccount:
    return make_robot("payments-ci", make_team("payments"))


@pytest.mark.parametrize("page", PAGES)
def test_lists_open_with_few_queries(
    browser: Client, robot: RobotAccount, page: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    registries = [make_registry(name) for name in ("sandbox", "prod", "archive")]
    for number, registry in enumerate(registries):
        AccessRule.objects.create(registry=registry, robot=robot)
        Denial.objects.create(
            registry=registry, principal=f"p{number}", scope="s", code="c", reason="r", first_at="2026-01-01T00:00Z",
            last_at="2026-01-01T00:00Z",
        )  # fmt: skip
        person_login(make_person(f"person{number}"))
        robot_login(robot)
    with django_assert_max_num_queries(25):
        answer = browser.get(f"/admin/access/{page}/")
    assert answer.status_code == 200
    assert SECRET.search(answer.content.decode()) is None


def test_a_secret_is_shown_once_and_works(browser: Client, robot: RobotAccount, ada: User) -> None:
    page = f"/admin/access/robotaccount/{robot.pk}/"
    assert f"{page}secret/" in browser.get(f"{page}change/").content.decode()
    assert "What is it for" in browser.get(f"{page}secret/").content.decode()
    answer = browser.post(f"{page}secret/", {"name": "runner", "days": "30"})
    shown = SECRET.search(answer.content.decode())
    assert shown is not None
    stored = Secret.objects.get()
    assert stored.expires_at is not None
    found = authenticate_secret("robot.payments-ci", shown[0], stored.created_at)
    assert found is not None
    assert found.is_ci
    assert "no-store" in answer["Cache-Control"]
    for later in (
        f"{page}secret/",
        f"{page}change/",
        "/admin/access/secret/",
        f"/admin/access/secret/{stored.pk}/change/",
    ):
        text = browser.get(later).content.decode()
        assert SECRET.search(text) is None
        assert stored.secret_hash not in text
    event = AuditEvent.objects.get(verb="secret.issued")
    assert (event.actor_name, event.detail["robot"]) == ("ada", "robot.payments-ci")


def test_a_secret_needs_a_word_on_what_it_is_for(browser: Client, robot: RobotAccount) -> None:
    answer = browser.post(f"/admin/access/robotaccount/{robot.pk}/secret/", {"name": ""})
    assert answer.status_code == 400
    assert not Secret.objects.exists()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.RELEASE_MANAGER, Role.SECURITY])
def test_only_platform_admins_issue_and_change(client: Client, robot: RobotAccount, role: Role) -> None:
    user = make_person("olga")
    grant_role(ADMIN, user, role)
    client.force_login(user)
    assert client.post(f"/admin/access/robotaccount/{robot.pk}/secret/", {"name": "x"}).status_code == 403
    # Security makes rules that deny: tests/registries/access/test_roles_admin.py.
    assert client.get("/admin/access/accessrule/add/").status_code == (200 if role == Role.SECURITY else 403)
    assert client.get("/admin/access/robotaccount/add/").status_code == 403
    assert client.get("/admin/access/robotaccount/").status_code == 200


def test_a_rule_made_in_the_admin_counts_at_once(browser: Client, robot: RobotAccount) -> None:
    prod = make_registry("prod")
    shop = make_robot("shop", robot.team, "consumer")
    assert not may(shop, "pull", prod, "payments/tool")
    form = {"effect": "allow", "team": shop.team.pk, "zone": prod.zone.pk, "pattern": "payments/**", "may_pull": "on"}
    assert browser.post("/admin/access/accessrule/add/", {**form, "reason": "the shop runs it"}).status_code == 302
    assert may(shop, "pull", prod, "payments/tool")
    assert AuditEvent.objects.filter(verb="accessrule.created", actor_name="ada").exists()
    rule = AccessRule.objects.get()
    browser.post(f"/admin/access/accessrule/{rule.pk}/delete/", {"post": "yes"})
    assert not may(shop, "pull", prod, "payments/tool")


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"user": True}, "not several"),
        ({"is_public": "on"}, "names no team"),
        ({"may_pull": ""}, "at least one action"),
        (
            {"starts_at_0": "2026-02-01", "starts_at_1": "00:00", "ends_at_0": "2026-01-01", "ends_at_1": "00:00"},
            "would end",
        ),
    ],
)
def test_rules_that_make_no_sense_are_refused(
    browser: Client, robot: RobotAccount, ada: User, changed: dict[str, object], complaint: str
) -> None:
    form: dict[str, object] = {"effect": "allow", "robot": robot.pk, "pattern": "**", "may_pull": "on", **changed}
    if form.get("user"):
        form["user"] = ada.pk
    answer = browser.post("/admin/access/accessrule/add/", form)
    assert complaint in answer.content.decode()
    assert not AccessRule.objects.exists()


def test_tokens_of_people_are_listed_and_revoked_by_security(client: Client) -> None:
    person_login(make_person("alice"))
    user = make_person("sven")
    grant_role(ADMIN, user, Role.SECURITY)
    client.force_login(user)
    stored = PersonalToken.objects.get()
    listing = client.get("/admin/access/personaltoken/").content.decode()
    assert stored.handle in listing
    assert stored.secret_hash not in listing
    client.post("/admin/access/personaltoken/", {"action": "revoke_selected", "_selected_action": [stored.pk]})
    stored.refresh_from_db()
    assert stored.revoked_at is not None
    assert AuditEvent.objects.get(verb="personaltoken.revoked").actor_name == "sven"
