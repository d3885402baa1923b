"""Every command is covered, migrations are complete, and the development lock holds the plain one."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.architecture.tree import CHECKOUT, python_files

COMMANDS = [path for path in python_files("portal", "registries", "promotions") if path.parent.name == "commands"]
TESTS = [path for path in python_files("tests") if path.name.startswith("test_") and "architecture" not in path.parts]
PIN = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)


@pytest.mark.parametrize("path", [path for path in COMMANDS if path.stem != "__init__"], ids=lambda path: path.stem)
def test_every_command_has_a_test(path: Path) -> None:
    assert any(re.search(rf"\b{path.stem}\b", test.read_text()) for test in TESTS)


@pytest.mark.database_both
@pytest.mark.django_db
def test_migrations_are_complete() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=1)


def test_the_development_lock_holds_all_of_the_plain_one() -> None:
    plain, development = (
        set(PIN.findall((CHECKOUT / "deploy" / name).read_text()))
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert plain <= development
