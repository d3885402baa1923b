"""What the tests of the house share."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from tests.portal.command_line import SECRETS, manage

InThreads = Callable[..., list[Any]]


@pytest.fixture
def in_threads() -> InThreads:
    """Calls every function in a thread of its own, all at the same moment; their results in order."""

    def run(*functions: Callable[[], Any]) -> list[Any]:
        gate, results = threading.Barrier(len(functions)), [None] * len(functions)

        def one(place: int) -> None:
            try:
                gate.wait(20)
                results[place] = functions[place]()
            finally:
                connections.close_all()

        threads = [threading.Thread(target=one, args=(place,)) for place in range(len(functions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return results

    return run


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database that is up to date and empty, to be copied."""
    home = tmp_path_factory.mktemp("migrated")
    ended = manage(home, "setup", "--no-admin", **SECRETS)
    assert ended.returncode == 0, ended.stderr
    database = sqlite3.connect(home / "portal.sqlite3")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return home / "portal.sqlite3"


@pytest.fixture
def home(migrated: Path, tmp_path: Path) -> Path:
    """The home of a portal whose database is up to date; its secrets come from the environment."""
    (tmp_path / "portal.sqlite3").write_bytes(migrated.read_bytes())
    return tmp_path
