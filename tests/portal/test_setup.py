"""From nothing to a portal that can be started, and no second time."""

import io
import os
import re
import sqlite3
import stat
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from portal.users.models import User
from tests.portal.command_line import SECRETS, manage

PASSWORD = "correct horse battery staple"


def rows(home: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(home / "portal.sqlite3") as database:
        found = database.execute(query).fetchall()
    database.close()
    return found


def test_setup_makes_keys_a_database_and_one_admin(tmp_path: Path) -> None:
    home = tmp_path / "a home#1"
    first = manage(home, "setup", "--admin", "alice", "--email", "alice@corp.example")
    assert first.returncode == 0, first.stderr
    assert "alice, password (shown once): " in first.stdout
    keys = home / "portal.env"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert rows(home, "SELECT username, email, is_superuser FROM users_user") == [("alice", "alice@corp.example", 1)]
    assert rows(home, "SELECT role FROM users_rolegrant") == [("platform_admin",)]
    assert rows(home, "SELECT verified FROM account_emailaddress") == [(1,)]
    verbs = rows(home, "SELECT actor_name, verb FROM audit_auditevent ORDER BY id")
    assert verbs == [("setup", "person.created"), ("setup", "role.granted")]
    content = keys.read_text()

    second = manage(home, "setup", "--admin", "mallory")
    assert second.returncode == 0, second.stderr
    assert "there is one already; nothing changed" in second.stdout
    assert keys.read_text() == content
    assert rows(home, "SELECT username FROM users_user") == [("alice",)]


@pytest.mark.parametrize(("source", "given"), [("password", ""), ("-", PASSWORD)])
def test_the_password_may_come_from_a_file_or_a_pipe(home: Path, source: str, given: str) -> None:
    (home / "password").write_text(PASSWORD + "\n")
    path = source if given else str(home / source)
    ended = manage(home, "setup", "--password-file", path, given=given, **SECRETS)
    assert ended.returncode == 0, ended.stderr
    assert "password (shown once)" not in ended.stdout
    assert PASSWORD not in ended.stdout
    assert rows(home, "SELECT count(*) FROM users_user") == [(1,)]


@pytest.mark.parametrize(
    ("arguments", "given", "sentence"),
    [
        (["--password-file", "/nowhere/at/all"], "", "/nowhere/at/all cannot be read: No such file or directory."),
        (["--password-file", "-"], "", "This password is too short"),
        (["--password-file", "-"], "short", "This password is too short"),
        (["--admin", "Not A Name", "--password-file", "-"], PASSWORD, "Use lower-case letters and digits"),
        (["--admin", "robot.ci", "--password-file", "-"], PASSWORD, "belong to robot accounts"),
        (["--email", "nonsense", "--password-file", "-"], PASSWORD, "Enter a valid email address"),
    ],
)
@pytest.mark.django_db
def test_an_admin_that_cannot_be_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], given: str, sentence: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    with pytest.raises(CommandError, match=re.escape(sentence)):
        call_command("setup", *arguments, stdout=io.StringIO())
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3"}, "The database of DATABASE_URL does not answer"),
        ({"DATABASE_URL": "postgres://me@127.0.0.1:1/none"}, "The database of DATABASE_URL does not answer"),
        ({"CELERY_BROKER_URL": "redis://127.0.0.1:1/0"}, "The broker of CELERY_BROKER_URL does not answer"),
        ({"CELERY_BROKER_URL": "amqp://127.0.0.1:1//"}, "The broker of CELERY_BROKER_URL does not answer"),
        ({"CELERY_BROKER_URL": "nonsense://127.0.0.1:1//"}, "CELERY_BROKER_URL"),
    ],
)
def test_what_does_not_answer_is_named(home: Path, told: dict[str, str], sentence: str) -> None:
    ended = manage(home, "setup", "--no-admin", **(SECRETS | told))
    assert ended.returncode == 1
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_home_that_cannot_be_made_is_named() -> None:
    ended = manage(Path("/proc/nowhere"), "setup", "--no-admin")
    assert ended.returncode == 1
    assert ended.stderr.startswith("/proc/nowhere/portal.env cannot be written")


def test_secrets_that_are_given_are_not_made_up(home: Path) -> None:
    ended = manage(home, "setup", "--no-admin", **SECRETS)
    assert ended.returncode == 0, ended.stderr
    assert not (home / "portal.env").exists()


def test_half_of_the_secrets_is_told_by_name(tmp_path: Path) -> None:
    ended = manage(tmp_path, "setup", PORTAL_SECRET_KEY="known-to-everybody-and-good-for-tests-alone")
    assert ended.returncode == 1
    assert ended.stderr.startswith("PORTAL_ENCRYPTION_KEYS is not set.")
    assert os.listdir(tmp_path) == []
