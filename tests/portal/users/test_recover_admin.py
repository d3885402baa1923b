"""``manage.py recover_admin``: whoever runs the machine is never locked out."""

from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command
from django.test import Client

from portal.actor import system
from portal.audit.models import AuditEvent
from portal.users.accounts import create_person, switch_off
from portal.users.models import Role, User

PASSWORD = "correct horse battery"
pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


def recover(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("recover_admin", *arguments)
    return capsys.readouterr().out


def signs_in(name: str, password: str) -> bool:
    return Client().post("/accounts/login/", {"login": name, "password": password}).status_code == 302


def test_an_admin_is_made_where_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    told = recover(capsys, "root")
    assert told.startswith("Created root, platform admin.\nPassword (shown once): ")
    root = User.objects.get()
    assert root.is_platform_admin
    assert signs_in("root", told.split("once): ")[1].strip())
    assert AuditEvent.objects.get(verb="person.created").actor_name == "command line"


def test_one_who_is_there_is_revived_and_old_sessions_end(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    ada = create_person(system("tester"), "ada", "ada@corp.example", "another good password")
    before = Client()
    before.force_login(ada, backend="allauth.account.auth_backends.AuthenticationBackend")
    switch_off(system("tester"), ada)
    given = tmp_path / "password"
    given.write_text(PASSWORD)
    assert recover(capsys, "ada", "--password-file", str(given)) == "Revived ada, platform admin.\n"
    assert User.objects.get().has_role(Role.PLATFORM_ADMIN)
    assert signs_in("ada", PASSWORD)
    assert before.get("/my/access/").status_code == 302
    assert AuditEvent.objects.filter(verb="person.recovered", object_name="ada").count() == 1


def test_the_second_factor_stays_unless_it_is_to_go(capsys: pytest.CaptureFixture[str]) -> None:
    ada = create_person(system("tester"), "ada", "ada@corp.example", PASSWORD)
    TOTP.activate(ada, "JBSWY3DPEHPK3PXP")
    assert "The second factor is still asked for" in recover(capsys, "ada")
    assert Authenticator.objects.exists()
    assert "The second factor is removed." in recover(capsys, "ada", "--remove-second-factor")
    assert not Authenticator.objects.exists()
    assert AuditEvent.objects.get(verb="secondfactor.removed").object_name == "ada"


def test_what_would_still_keep_the_person_out_is_said(capsys: pytest.CaptureFixture[str], settings: Any) -> None:
    settings.PORTAL_OIDC_ONLY = settings.PORTAL_SECOND_FACTOR_FOR_ROLES = True
    told = recover(capsys, "root")
    assert "add root to PORTAL_BREAK_GLASS" in told
    assert "A second factor has to be set up" in told
    settings.PORTAL_BREAK_GLASS = ["root"]
    assert "PORTAL_BREAK_GLASS" not in recover(capsys, "root")


@pytest.mark.parametrize(
    ("arguments", "content", "sentence"),
    [
        (["Root"], PASSWORD, "Use lower-case letters"),
        (["robot.root"], PASSWORD, "belong to robot accounts"),
        (["root"], "short", "too short"),
        (["root", "--email", "nonsense"], PASSWORD, "valid email"),
    ],
)
def test_what_cannot_be_makes_nobody(tmp_path: Path, arguments: list[str], content: str, sentence: str) -> None:
    given = tmp_path / "password"
    given.write_text(content)
    with pytest.raises(CommandError, match=sentence):
        call_command("recover_admin", *arguments, "--password-file", str(given))
    assert not User.objects.exists()


@pytest.mark.parametrize(("content", "sentence"), [(None, "No such file"), (b"\xff", "it is no text")])
def test_a_password_file_that_is_none_is_named(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    if content is not None:
        (tmp_path / "password").write_bytes(content)
    with pytest.raises(CommandError, match=f"cannot be read: {sentence}"):
        call_command("recover_admin", "root", "--password-file", str(tmp_path / "password"))
