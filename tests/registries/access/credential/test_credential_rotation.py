"""A robot's secret is exchanged without a break, by hand in the admin and whoever's page uses the same step."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.outbox.models import Message
from portal.users.accounts import grant_role
from portal.users.models import Role, User
from registries.access.credential.credential_rotation import replace_secret, same_again
from registries.access.credential.credentials import Narrowing, authenticate_secret, issue_robot_secret, revoke_secret
from registries.access.credential.issuing import IssueRefusedError, Wanted, issue_wanted
from registries.access.credential.narrowing import glob_fault, say_narrowing, widened
from registries.access.credential.warn import warn_of_ends
from registries.access.models import RobotAccount, Secret
from tests.registries.access.cast import ADMIN, make_person, make_registry, make_robot, make_team

pytestmark = [pytest.mark.django_db]
SECRET = re.compile(r"ptr_[0-9a-f]{16}_[A-Za-z0-9_-]{43}")
HOUR = timedelta(hours=1)


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


def test_a_secret_is_narrowed_in_the_admin_and_who_saw_it_is_known(
    browser: Client, robot: RobotAccount, ada: User
) -> None:
    make_registry("ci-snapshots")
    page = f"/admin/access/robotaccount/{robot.pk}/secret/"
    assert "Narrow it" in browser.get(page).content.decode()
    form = {
        "name": "runner",
        "days": "0",
        "actions": ["push", "pull"],
        "registries": ["ci-snapshots"],
        "pattern": "payments/*",
    }
    answer = browser.post(page, form)
    assert SECRET.search(answer.content.decode())
    stored = Secret.objects.get()
    assert (stored.shown_to, stored.expires_at, stored.pattern, stored.registries) == (
        ada,
        None,
        "payments/*",
        "ci-snapshots",
    )
    row = browser.get(f"/admin/access/robotaccount/{robot.pk}/change/").content.decode()
    assert "payments/* at ci-snapshots" in row
    assert f"/admin/access/secret/{stored.pk}/replace/" in row
    assert "payments/* at ci-snapshots" in browser.get("/admin/access/secret/").content.decode()
    bad = browser.post(page, {**form, "pattern": "A/B"})
    assert bad.status_code == 400
    assert "lower-case letters" in bad.content.decode()


def test_a_double_click_in_the_admin_issues_one(browser: Client, robot: RobotAccount) -> None:
    page = f"/admin/access/robotaccount/{robot.pk}/secret/"
    found = re.search(r'name="once" value="([^"]+)"', browser.get(page).content.decode())
    assert found is not None
    form = {"name": "runner", "days": "30", "once": found[1]}
    assert [browser.post(page, form).status_code for _ in range(3)] == [200, 409, 409]
    assert Secret.objects.count() == 1


def test_a_secret_is_replaced_in_the_admin(browser: Client, robot: RobotAccount, ada: User) -> None:
    old, old_text = issue_robot_secret(
        ADMIN, robot, "runner", timezone.now() + timedelta(days=30), Narrowing(actions="pull"), make_person("dora")
    )
    page = f"/admin/access/secret/{old.pk}/replace/"
    assert "only pull" in browser.get(page).content.decode()
    answer = browser.post(page, {"overlap": "72", "days": "same"})
    text = answer.content.decode()
    new = Secret.objects.exclude(pk=old.pk).get()
    found = SECRET.search(text)
    assert found is not None
    assert "still works until" in text
    assert "no-store" in answer["Cache-Control"]
    assert (new.actions, new.name, new.replaces, new.shown_to) == ("pull", "runner", old, ada)
    assert all(authenticate_secret(robot.login, each, timezone.now()) for each in (old_text, found[0]))
    assert SECRET.search(browser.get(page).content.decode()) is None
    event = AuditEvent.objects.get(verb="secret.replaced")
    assert (event.actor_name, event.detail["by"]) == ("ada", new.handle)
    assert browser.post(page, {"overlap": "72", "days": "same"}).status_code == 409
    assert browser.post(page, {"overlap": "nonsense", "days": "same"}).status_code == 400


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.RELEASE_MANAGER, Role.SECURITY])
def test_only_platform_admins_replace_in_the_admin(client: Client, robot: RobotAccount, role: Role) -> None:
    user = make_person("olga")
    grant_role(ADMIN, user, role)
    client.force_login(user)
    old, _ = issue_robot_secret(ADMIN, robot, "runner", None)
    assert client.post(f"/admin/access/secret/{old.pk}/replace/", {"overlap": "1", "days": "90"}).status_code == 403
    assert Secret.objects.count() == 1


def test_a_robot_that_is_switched_off_gets_none(robot: RobotAccount) -> None:
    old, _ = issue_robot_secret(ADMIN, robot, "runner", None)
    RobotAccount.objects.update(is_active=False)
    with pytest.raises(IssueRefusedError, match="switched off"):
        issue_wanted(ADMIN, robot, Wanted("x", None))
    with pytest.raises(IssueRefusedError, match="switched off"):
        replace_secret(ADMIN, old, same_again(old, timezone.now()), HOUR)


def test_an_overlap_is_neither_endless_nor_longer_than_the_old_one_had(robot: RobotAccount) -> None:
    now = timezone.now()
    short, _ = issue_robot_secret(ADMIN, robot, "short", now + HOUR)
    replace_secret(ADMIN, short, same_again(short, now, expires_at=None), timedelta(days=7))
    short.refresh_from_db()
    assert short.expires_at == now + HOUR
    endless, _ = issue_robot_secret(ADMIN, robot, "endless", None)
    replace_secret(ADMIN, endless, same_again(endless, now), timedelta(days=4000))
    endless.refresh_from_db()
    assert endless.expires_at is not None
    assert endless.expires_at < now + timedelta(days=31)


@pytest.mark.parametrize(
    ("wanted", "held", "is_within"),
    [
        ("payments/**", "payments/**", True), ("payments/api", "payments/*", True), ("payments/**", "**", True), ("x", "", True),
        ("payments/api/**", "payments/**", True), ("payments", "payments/**", True), ("payments/*", "payments/**", True),
        ("payments/a/b", "payments/*", False), ("payments-b/**", "payments/**", False), ("", "payments/**", False),
        ("**", "payments/**", False), ("payments**", "payments/**", False), ("*/api", "payments/*", False),
        ("pay*/x/**", "pay*/**", False), ("payments/**", "payments/*", False), ("p?yments/api", "payments/api", False),
    ],
)  # fmt: skip
def test_a_pattern_is_within_another_only_where_that_is_sure(wanted: str, held: str, is_within: bool) -> None:
    found = [field for field, _ in widened(Narrowing(pattern=wanted), Narrowing(pattern=held))]
    assert (not found) is is_within


@pytest.mark.parametrize(
    ("wanted", "held", "is_within"),
    [
        ("10.1.0.0/16", "10.0.0.0/8", True), ("10.1.2.3", "10.0.0.0/8, ::1", True), ("2001:db8::/48", "2001:db8::/32", True),
        ("10.0.0.0/8", "10.1.0.0/16", False), ("", "10.0.0.0/8", False), ("::/0", "0.0.0.0/0", False),
        ("10.1.0.0/16, 11.0.0.1", "10.0.0.0/8", False), ("::ffff:10.0.0.1", "10.0.0.0/8", False),
    ],
)  # fmt: skip
def test_networks_are_within_others_or_not(wanted: str, held: str, is_within: bool) -> None:
    found = [field for field, _ in widened(Narrowing(networks=wanted), Narrowing(networks=held))]
    assert (not found) is is_within


def test_what_is_narrowed_is_said_in_one_line() -> None:
    assert say_narrowing(Narrowing()) == ""
    assert say_narrowing(Narrowing("payments/**", "pull,push", "prod,prod-eu", "10.0.0.0/8")) == (
        "pull, push payments/** at prod, prod-eu from 10.0.0.0/8"
    )
    assert [glob_fault(text) for text in ("", "**", "payments/**", "a.b-c_d/?*")] == [""] * 4


# Two at once, on a database that lets them.
THREADS = 6


def at_once(act: Callable[[int], str]) -> list[str]:
    gate = Barrier(THREADS)

    def run(number: int) -> str:
        try:
            connection.ensure_connection()
            gate.wait(20)
            return act(number)
        except IssueRefusedError as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return sorted(pool.map(run, range(THREADS)))


def issued(robot: RobotAccount, wanted: Wanted) -> str:
    issue_wanted(ADMIN, robot, wanted)
    return "issued"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_those_who_replace_one_at_once_one_does() -> None:
    robot = make_robot("payments-ci", make_team("payments"))
    old, _ = issue_robot_secret(ADMIN, robot, "runner", None)

    def act(_: int) -> str:
        replace_secret(ADMIN, old, same_again(old, timezone.now()), HOUR)
        return "issued"

    assert at_once(act) == ["already_replaced"] * (THREADS - 1) + ["issued"]
    assert Secret.objects.filter(replaces=old).count() == 1
    assert AuditEvent.objects.filter(verb="secret.replaced").count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_six_times_at_once_issues_one() -> None:
    robot = make_robot("payments-ci", make_team("payments"))
    done = at_once(lambda _: issued(robot, Wanted("runner", None, once="the same")))
    assert done == ["already_issued"] * (THREADS - 1) + ["issued"]
    assert Secret.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_bound_holds_however_many_ask_at_once() -> None:
    robot = make_robot("payments-ci", make_team("payments"))
    for _ in range(8):
        issue_robot_secret(ADMIN, robot, "runner", None)
    done = at_once(lambda number: issued(robot, Wanted(str(number), None)))
    assert done == ["issued"] * 2 + ["too_many"] * (THREADS - 2)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_warn_once() -> None:
    alice = make_person("alice")
    robots = [make_robot(f"r{number}", make_team(f"t{number}", maintainers=(alice,))) for number in range(5)]
    for robot in robots:
        issue_robot_secret(ADMIN, robot, "runner", timezone.now() + timedelta(days=2))
    counts = at_once(lambda _: str(warn_of_ends(timezone.now())))
    assert sum(map(int, counts)) == 5
    assert Message.objects.count() == 5


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_replacing_and_revoking_at_once_leave_no_dead_end() -> None:
    robot = make_robot("payments-ci", make_team("payments"))
    old, _ = issue_robot_secret(ADMIN, robot, "runner", None)

    def act(number: int) -> str:
        if number % 2:
            revoke_secret(ADMIN, Secret.objects.get(pk=old.pk))
            return "revoked"
        replace_secret(ADMIN, old, same_again(old, timezone.now()), HOUR)
        return "issued"

    done = at_once(act)
    assert done.count("issued") == Secret.objects.filter(replaces=old).count() <= 1
    old.refresh_from_db()
    assert old.revoked_at is not None
