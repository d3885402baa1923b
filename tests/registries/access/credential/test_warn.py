"""Nobody finds out from a red pipeline that a secret has ended: they are told two weeks, three days and one day before, once each."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from portal.outbox.models import Message, WebhookEndpoint
from portal.users.accounts import grant_role
from portal.users.models import Role, User
from registries.access.credential.credential_rotation import replace_secret, same_again
from registries.access.credential.credentials import issue_personal_token, issue_robot_secret, revoke_secret
from registries.access.credential.warn import warn_of_ends
from registries.access.models import PersonalToken, RobotAccount, Secret
from registries.access.tasks import warn
from registries.topology.models import Credential, Reach
from tests.registries.access.cast import ADMIN, make_person, make_registry, make_robot, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]
NOW = timezone.now()


def days(number: float) -> timedelta:
    return timedelta(days=number)


@pytest.fixture
def alice() -> User:
    return make_person("alice")


@pytest.fixture
def robot(alice: User) -> RobotAccount:
    return make_robot("payments-ci", make_team("payments", make_person("bob"), maintainers=(alice,)))


def token(user: User, ends_in: float = 20) -> PersonalToken:
    return issue_personal_token(user.actor, user, "laptop", NOW + days(ends_in))[0]


def secret(robot: RobotAccount, ends_in: float = 20, shown_to: User | None = None) -> Secret:
    return issue_robot_secret(ADMIN, robot, "runner", NOW + days(ends_in), shown_to=shown_to)[0]


def told() -> list[tuple[str, str]]:
    """Who was told what, and from here on nobody was."""
    rows = [(row.destination.partition("@")[0], row.title) for row in Message.objects.order_by("pk")]
    Message.objects.all().delete()
    return rows


def test_a_person_is_told_thrice_and_no_more(alice: User) -> None:
    token(alice)
    seen = []
    for hours in range(0, 21 * 24, 6):
        warn_of_ends(NOW + timedelta(hours=hours))
        seen += [(hours / 24, title) for _, title in told()]
    assert seen == [
        (6, "Your personal token “laptop” ends in 14 days"),
        (17, "Your personal token “laptop” ends in 3 days"),
        (19, "Your personal token “laptop” ends within a day"),
    ]


def test_the_mail_says_what_when_and_where_and_holds_no_secret(alice: User, client: Client) -> None:
    stored, text = issue_personal_token(alice.actor, alice, "laptop", NOW + days(2))
    WebhookEndpoint.objects.create(name="chat", url="https://chat.example/hook", topics=["credential.expiring"])
    assert warn_of_ends(NOW) == 1
    mail, hook = Message.objects.order_by("channel")
    assert (mail.destination, mail.topic) == ("alice@example.com", "credential.expiring")
    assert f"works until {stored.expires_at:%A, %d %B %Y, %H:%M} UTC" in mail.body
    assert hook.payload == {
        "kind": "personal token", "handle": stored.handle, "owner": "alice", "days": 3, "unused": False,
        "ends_at": stored.expires_at.isoformat() if stored.expires_at else "", "url": hook.payload["url"],
    }  # fmt: skip
    link = re.search(r"^http://127\.0\.0\.1:8000(/\S+)$", mail.body, re.MULTILINE)
    assert link is not None
    assert hook.payload["url"].endswith(link[1])
    client.force_login(alice, "allauth.account.auth_backends.AuthenticationBackend")
    assert "Replace “laptop”" in client.get(link[1]).content.decode()
    for kept in (mail.body, mail.title, str(hook.payload)):
        assert text not in kept
        assert stored.secret_hash not in kept


def test_one_that_nobody_used_for_long_is_said_so(alice: User) -> None:
    used, unused = token(alice, 2), token(alice, 2)
    PersonalToken.objects.update(created_at=NOW - days(300))
    PersonalToken.objects.filter(pk=used.pk).update(last_used_at=NOW - days(1))
    PersonalToken.objects.filter(pk=unused.pk).update(last_used_at=NOW - days(91))
    warn_of_ends(NOW)
    bodies = [row.body for row in Message.objects.order_by("pk")]
    assert [("for 90 days" in body, unused.handle in body) for body in bodies] in (
        [(False, False), (True, True)],
        [(True, True), (False, False)],
    )


def test_a_robots_end_concerns_its_maintainers_and_who_was_shown_it(robot: RobotAccount) -> None:
    secret(robot, 2, make_person("dora"))
    warn_of_ends(NOW)
    assert {name for name, _ in told()} == {"alice", "dora"}


def test_without_maintainers_members_are_told_and_without_members_the_admins(robot: RobotAccount, alice: User) -> None:
    ada = make_person("ada")
    grant_role(ADMIN, ada, Role.PLATFORM_ADMIN)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    secret(robot, 2)
    warn_of_ends(NOW)
    assert told() == [("bob", "The secret “runner” of robot.payments-ci ends in 2 days")]
    secret(make_robot("lonely", make_team("nobody")), 2)
    warn_of_ends(NOW)
    assert [name for name, _ in told()] == ["ada"]


def test_robots_and_our_own_credentials_end_as_well(robot: RobotAccount) -> None:
    ada = make_person("ada")
    grant_role(ADMIN, ada, Role.PLATFORM_ADMIN)
    RobotAccount.objects.update(expires_at=NOW + days(13))
    hub = make_registry("hub", "upstream", reach=Reach.OBSERVED)
    Credential.objects.create(registry=hub, username="portal", secret="s3cret", expires_at=NOW + days(1))
    assert warn_of_ends(NOW) == 2
    assert told() == [
        ("alice", "The robot account robot.payments-ci of team payments ends in 13 days"),
        ("ada", "What the portal logs in with at hub, as portal ends within a day"),
    ]
    assert warn_of_ends(NOW) == 0


def switch_off_people() -> None:
    User.objects.update(is_active=False)


def switch_off_robots() -> None:
    RobotAccount.objects.update(is_active=False)


def end_robots() -> None:
    RobotAccount.objects.update(expires_at=NOW)


def revoke_all() -> None:
    for stored in (*PersonalToken.objects.all(), *Secret.objects.all()):
        revoke_secret(ADMIN, stored)


def make_keyless() -> None:
    Secret.objects.update(is_keyless=True)
    PersonalToken.objects.all().delete()


def pass_on() -> None:
    """Everything has a successor, and somebody uses it."""
    everything: list[PersonalToken | Secret] = [*PersonalToken.objects.all(), *Secret.objects.select_related("robot")]
    for stored in everything:
        new = replace_secret(ADMIN, stored, same_again(stored, NOW, expires_at=NOW + days(90)), days(2)).stored
        type(new)._default_manager.filter(pk=new.pk).update(last_used_at=NOW)


@pytest.mark.parametrize("happened", [revoke_all, make_keyless, pass_on])
def test_what_needs_no_care_any_more_is_left_in_peace(
    robot: RobotAccount, alice: User, happened: Callable[[], None]
) -> None:
    token(alice, 2)
    secret(robot, 2)
    happened()
    assert warn_of_ends(NOW) == 0


def test_those_who_are_not_here_are_not_told(robot: RobotAccount, alice: User) -> None:
    token(alice, 2)
    secret(robot, 2)
    for happened in (switch_off_people, switch_off_robots):
        happened()
    assert warn_of_ends(NOW) == 0
    RobotAccount.objects.update(is_active=True)
    end_robots()
    assert warn_of_ends(NOW) == 0


def test_a_successor_that_nobody_uses_yet_silences_nothing(alice: User) -> None:
    old = token(alice, 10)
    replace_secret(alice.actor, old, same_again(old, NOW, expires_at=NOW + days(90)), days(2))
    assert warn_of_ends(NOW) == 1


def test_an_end_that_was_moved_away_is_told_of_anew(robot: RobotAccount) -> None:
    def move(to: datetime) -> None:
        RobotAccount.objects.update(expires_at=to)

    move(NOW + days(2))
    assert warn_of_ends(NOW) == 1
    move(NOW + days(10))
    assert warn_of_ends(NOW) == 0, "who moved it knows that it ends in ten days"
    assert warn_of_ends(NOW + days(8)) == 1
    move(NOW + days(60))
    assert warn_of_ends(NOW + days(8)) == 0
    assert [warn_of_ends(NOW + days(day)) for day in (45, 46, 57, 59)] == [0, 1, 1, 1]


def test_a_portal_that_slept_tells_once_how_near_it_is(alice: User) -> None:
    token(alice, 20)
    assert warn_of_ends(NOW + days(19.5)) == 1
    assert told() == [("alice", "Your personal token “laptop” ends within a day")]
    assert warn_of_ends(NOW + days(19.6)) == 0
    assert warn_of_ends(NOW + days(21)) == 0


def test_the_clock_asks_for_it(alice: User) -> None:
    from portal.celery import app

    assert warn.name in app.conf.beat_schedule
    token(alice, 2)
    assert warn() == 1


def test_it_stands_in_the_inbox_of_those_it_concerns(robot: RobotAccount, alice: User, client: Client) -> None:
    token(alice, 2)
    secret(robot, 10)

    def page(user: User, path: str) -> str:
        client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
        return client.get(path).content.decode()

    inbox = page(alice, "/inbox/")
    assert "Ends soon" in inbox
    assert "runner" in inbox
    assert f"/my/tokens/{PersonalToken.objects.get().pk}/replace/" in inbox
    home = page(alice, "/fragments/moves/")
    assert "laptop" in home
    assert "runner" not in home
    assert "Ends soon" not in page(User.objects.get(username="bob"), "/inbox/")
