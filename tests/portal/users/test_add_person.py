"""``manage.py add_person``: a script makes an account, whole or not at all."""

from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

from portal.audit.models import AuditEvent
from portal.users.models import Membership, Role, Team, User

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


@pytest.fixture
def payments() -> Team:
    return Team.objects.create(name="payments")


def add_person(*arguments: str) -> None:
    call_command("add_person", "alice", "alice@corp.example", *arguments)


def test_a_password_is_made_up_and_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    add_person()
    shown = capsys.readouterr().out.split("Password (shown once): ")[1].strip()
    alice = User.objects.get(username="alice")
    assert alice.check_password(shown)
    assert not alice.has_role()
    assert EmailAddress.objects.get(user=alice, primary=True).verified


def test_a_password_that_was_given_is_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = tmp_path / "password"
    given.write_text("correct horse battery\n")
    add_person("--password-file", str(given))
    assert capsys.readouterr().out == "Created alice.\n"
    assert User.objects.get().check_password("correct horse battery")


def test_roles_and_teams_come_with_it_and_are_recorded(payments: Team) -> None:
    shop = Team.objects.create(name="shop")
    add_person("--role", Role.AUDITOR, "--role", Role.SECURITY, "--team", "payments", "--team", "shop:maintainer")
    alice = User.objects.get(username="alice")
    assert set(alice.role_grants.values_list("role", flat=True)) == {Role.AUDITOR, Role.SECURITY}
    assert dict(Membership.objects.filter(user=alice).values_list("team", "role")) == {
        payments.pk: Membership.TeamRole.MEMBER,
        shop.pk: Membership.TeamRole.MAINTAINER,
    }
    made = AuditEvent.objects.get(verb="person.created")
    assert (made.object_key, made.actor_name) == (str(alice.pk), "command line")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--team", "nobody"], "There is no team nobody"),
        (["--team", "payments:king"], "king is neither maintainer nor member"),
        (["--password-file", "/does/not/exist"], "/does/not/exist cannot be read"),
    ],
)
def test_what_cannot_be_done_makes_nobody(payments: Team, arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        add_person(*arguments)
    assert not User.objects.exists()


def test_a_name_that_is_taken_is_refused_with_its_reason() -> None:
    add_person()
    with pytest.raises(CommandError, match="alice cannot be created"):
        add_person()
    assert User.objects.count() == 1


@pytest.mark.parametrize("text", ["", "\n", "short", "alice@corp.example"])
def test_a_weak_password_is_refused_and_nothing_is_made(text: str, tmp_path: Path) -> None:
    given = tmp_path / "password"
    given.write_text(text)
    with pytest.raises(CommandError, match="alice cannot be created"):
        add_person("--password-file", str(given))
    assert not User.objects.exists()
