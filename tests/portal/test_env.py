"""What a portal is told from outside is either understood or refused in one sentence; nothing is silently ignored."""

from pathlib import Path
from typing import Any, cast

import pytest

from portal.env import BadEnvironmentError, Environment, database, email, laid_over, read_file
from tests.portal.command_line import KEY, SECRETS, manage


def test_a_misspelt_setting_is_refused_by_name() -> None:
    with pytest.raises(BadEnvironmentError, match=r"Unknown setting PORTAL_BASEURL; known are .*PORTAL_BASE_URL"):
        Environment({"PORTAL_BASEURL": "https://portal.example"})


def test_only_secrets_may_be_given_as_files() -> None:
    Environment({"PORTAL_SECRET_KEY_FILE": "/run/secret"})
    with pytest.raises(BadEnvironmentError, match="Unknown setting PORTAL_THREADS_FILE"):
        Environment({"PORTAL_THREADS_FILE": "/run/threads"})


def test_a_secret_is_read_from_the_file_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("  sesame\n")
    assert Environment({"EMAIL_URL_FILE": str(tmp_path / "secret")}).secret("EMAIL_URL") == "sesame"


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("sesame")
    twice = Environment({"DATABASE_URL": "sqlite:///x", "DATABASE_URL_FILE": str(tmp_path / "secret")})
    with pytest.raises(BadEnvironmentError, match="DATABASE_URL and DATABASE_URL_FILE are both set; give one of them"):
        twice.secret("DATABASE_URL")


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "cannot be read: No such file"), (b"\xff\xfe", "is no text"), (b" \n", "is empty")]
)
def test_a_secret_file_that_holds_no_secret_is_named(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadEnvironmentError, match=f"DATABASE_URL_FILE names {path}, which {sentence}"):
        Environment({"DATABASE_URL_FILE": str(path)}).secret("DATABASE_URL")


def test_the_environment_wins_over_the_file_also_between_a_secret_and_its_file() -> None:
    below = {"PORTAL_SECRET_KEY": "from setup", "PORTAL_BASE_URL": "http://old.example", "EMAIL_URL_FILE": "/old"}
    above = {"PORTAL_SECRET_KEY_FILE": "/run/secret", "EMAIL_URL": "console:", "PORTAL_BASE_URL": ""}
    assert laid_over(below, above) == {
        "PORTAL_SECRET_KEY_FILE": "/run/secret",
        "EMAIL_URL": "console:",
        "PORTAL_BASE_URL": "http://old.example",
    }


def test_the_settings_file_is_lines_of_name_and_value(tmp_path: Path) -> None:
    path = tmp_path / "portal.env"
    path.write_text("# ours\n\nPORTAL_THREADS = 4\nDATABASE_URL=postgres://u:p=q@h/n\n")
    assert read_file(path) == {"PORTAL_THREADS": "4", "DATABASE_URL": "postgres://u:p=q@h/n"}
    path.write_text("PORTAL_THREADS=4\nPORTAL_DEBUG\n")
    with pytest.raises(BadEnvironmentError, match=r"portal.env, line 2: expected NAME=value"):
        read_file(path)


@pytest.mark.parametrize("value", ["-1", "4.5", "four", "²", "٣"])
def test_a_number_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(BadEnvironmentError, match=r"PORTAL_THREADS is .* expected a whole number"):
        Environment({"PORTAL_THREADS": value}).number("PORTAL_THREADS", 8)


def test_a_flag_is_yes_or_no_and_nothing_between() -> None:
    assert Environment({"PORTAL_DEBUG": "On"}).flag("PORTAL_DEBUG", default=False)
    assert not Environment({"PORTAL_DEBUG": "0"}).flag("PORTAL_DEBUG", default=True)
    with pytest.raises(BadEnvironmentError, match="PORTAL_DEBUG is 'perhaps'"):
        Environment({"PORTAL_DEBUG": "perhaps"}).flag("PORTAL_DEBUG", default=False)


@pytest.mark.parametrize(
    "address",
    ["portal.example", "ftp://portal.example", "https://", "https://portal.example/x", "https://me@x.example"],
)
def test_the_portals_own_address_is_scheme_and_host(address: str) -> None:
    assert Environment({"PORTAL_BASE_URL": "https://p.example:8443/"}).address("PORTAL_BASE_URL", "") == (
        "https://p.example:8443"
    )
    with pytest.raises(BadEnvironmentError, match="PORTAL_BASE_URL"):
        Environment({"PORTAL_BASE_URL": address}).address("PORTAL_BASE_URL", "")


@pytest.mark.parametrize(("keys", "sentence"), [(f"{KEY},c2hvcnQ=", "key 2 is not 32 bytes"), (" , ", "holds no key")])
def test_keys_that_would_fail_later_are_refused_at_the_start(keys: str, sentence: str) -> None:
    assert Environment({"PORTAL_ENCRYPTION_KEYS": f"{KEY}, {KEY}"}).keys("PORTAL_ENCRYPTION_KEYS") == [KEY, KEY]
    with pytest.raises(BadEnvironmentError, match=f"PORTAL_ENCRYPTION_KEYS.* {sentence}"):
        Environment({"PORTAL_ENCRYPTION_KEYS": keys}).keys("PORTAL_ENCRYPTION_KEYS")


def test_a_database_address_is_taken_apart() -> None:
    found = cast("dict[str, Any]", database("postgres://me:p%40ss@db.example:6432/por%74al?sslmode=require"))
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"]) == ("me", "p@ss", "db.example", "6432")
    assert (found["NAME"], found["OPTIONS"]["sslmode"]) == ("portal", "require")
    assert database("sqlite:////var/lib/a%20b.sqlite3")["NAME"] == "/var/lib/a b.sqlite3"
    assert database("sqlite:///:memory:")["NAME"] == ":memory:"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://h/n", "has the scheme 'mysql'"),
        ("portal", "has the scheme ''"),
        ("postgres://me:sesame@db.example", "names no database"),
        ("sqlite:///", "names no database"),
        ("sqlite://portal.sqlite3", "names no database"),
        ("sqlite://var/portal.sqlite3", "three slashes"),
        ("postgres://me:sesame@db.example:none/n", "is no address"),
        ("postgres://me:ses#ame@db.example/n", "is no address"),
        ("postgres://me:ses/ame@db.example/n", "is no address"),
        ("postgres://me:sesame@db.example:99999/n", "is no address"),
        ("postgres://[::1/n", "is no address"),
    ],
)
def test_a_bad_database_address_is_one_sentence_without_its_password(url: str, sentence: str) -> None:
    with pytest.raises(BadEnvironmentError, match=f"DATABASE_URL.*{sentence}") as refusal:
        database(url)
    assert "ses" not in str(refusal.value)


def test_a_mail_address_is_taken_apart() -> None:
    found = email("smtps://me:p%40ss@mail.example?from=portal@example.org")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"], found["EMAIL_USE_SSL"]) == ("mail.example", 465, True)
    assert (found["EMAIL_HOST_PASSWORD"], found["DEFAULT_FROM_EMAIL"]) == ("p@ss", "portal@example.org")
    assert email("smtp+tls://mail.example")["EMAIL_PORT"] == 587


@pytest.mark.parametrize("url", ["imap://mail.example", "smtp://mail.example:port", "mail.example"])
def test_a_bad_mail_address_is_one_sentence(url: str) -> None:
    with pytest.raises(BadEnvironmentError, match="EMAIL_URL"):
        email(url)


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"PORTAL_TREADS": "4"}, "Unknown setting PORTAL_TREADS"),
        ({"PORTAL_FACE": "tokens"}, "PORTAL_FACE is 'tokens'; expected all or token"),
        ({"PORTAL_BASE_URL": "portal.example"}, "PORTAL_BASE_URL"),
        ({"PORTAL_ENCRYPTION_KEYS": "short"}, "key 1 is not 32 bytes"),
        ({"PORTAL_SECRET_KEY": ""}, "PORTAL_SECRET_KEY is not set"),
    ],
)
def test_every_command_says_it_in_one_line(tmp_path: Path, bad: dict[str, str], sentence: str) -> None:
    ended = manage(tmp_path, "check", **(SECRETS | bad))
    assert ended.returncode == 1
    assert sentence in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
