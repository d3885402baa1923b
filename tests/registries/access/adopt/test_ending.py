"""An old password ends as other credentials do: its team is told in time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.outbox.models import Message
from registries.access.adopt.decide import disable_login
from registries.access.adopt.models import ImportedLogin
from registries.access.credential.credentials import issue_robot_secret
from registries.access.credential.warn import warn_of_ends
from registries.access.models import RobotAccount, Secret
from tests.registries.access.adopt.old_users import make_login, make_old_registry
from tests.registries.access.cast import ADMIN, make_person, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]
NOW = timezone.now()


@pytest.fixture
def login() -> ImportedLogin:
    make_team("payments", maintainers=(make_person("alice"),))
    return make_login(make_old_registry(), expires_at=NOW + timedelta(days=20))


def told(days: float) -> list[tuple[str, str]]:
    warn_of_ends(NOW + timedelta(days=days))
    rows = [(row.destination.partition("@")[0], row.title) for row in Message.objects.order_by("pk")]
    Message.objects.all().delete()
    return rows


def test_the_team_is_told_thrice(login: ImportedLogin) -> None:
    what = "The old password of payments-ci at ci-snapshots ends"
    assert told(5) == []
    assert told(6.1) == [("alice", f"{what} in 14 days")]
    assert told(7) == []
    assert told(17.1) == [("alice", f"{what} in 3 days")]
    assert told(19.1) == [("alice", f"{what} within a day")]
    assert told(21) == []


def test_the_mail_says_what_to_do_and_holds_no_hash(login: ImportedLogin) -> None:
    warn_of_ends(NOW + timedelta(days=18))
    body = Message.objects.get().body
    assert "Give the jobs that use it a secret of robot.payments-ci" in body
    assert f"/admin/access/robotaccount/{login.robot.pk}/secret/" in body
    assert "$2y$" not in body


@pytest.mark.parametrize("reason", ["disabled", "replaced", "closed"])
def test_nobody_is_told_of_what_nobody_needs_any_more(login: ImportedLogin, reason: str) -> None:
    if reason == "disabled":
        disable_login(ADMIN, login)
    elif reason == "replaced":
        issue_robot_secret(ADMIN, login.robot, "runner", None)
        Secret.objects.update(last_used_at=NOW + timedelta(days=1))
    else:
        RobotAccount.objects.update(is_active=False)
    assert told(18) == []


def test_a_password_that_was_used_again_is_needed(login: ImportedLogin) -> None:
    issue_robot_secret(ADMIN, login.robot, "runner", None)
    Secret.objects.update(last_used_at=NOW + timedelta(days=1))
    ImportedLogin.objects.update(last_used_at=NOW + timedelta(days=2))
    assert len(told(18)) == 1
