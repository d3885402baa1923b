"""What every test stands on: an environment of its own, no foreign network, and real parts where it asks for them."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest
from playwright.sync_api import Browser, Page

from portal.demo.docker import Docker
from portal.demo.ports import Ports
from portal.demo.processes import Processes
from portal.demo.workspace import workspace
from tests.real import browser, engine, flush, network, postgres, registries
from tests.real.registries import RegistryStarter

_HOME = ExitStack()


def _prepare_environment(home: Path) -> None:
    """Before anything reads the settings. Nothing of the person's own portal may leak in, nor out."""
    for name in [name for name in os.environ if name.startswith("PORTAL_")]:
        del os.environ[name]
    os.environ |= {
        "PORTAL_HOME": str(home),
        "PORTAL_SECRET_KEY": "known-to-everybody-and-good-for-tests-alone",
        "PORTAL_ENCRYPTION_KEYS": "a25vd24tdG8tZXZlcnlib2R5LWdvb2QtNC10ZXN0czI=",
        "PORTAL_BASE_URL": "http://127.0.0.1:8000",
        "CELERY_BROKER_URL": "memory://",
        "EMAIL_URL": "memory:",
        # Playwright's loop runs in this very thread; without this Django takes each query for one from a coroutine.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
    }
    os.environ.setdefault("DATABASE_URL", f"sqlite:///{home}/portal.sqlite3")
    (home / "static").mkdir(exist_ok=True)  # WhiteNoise warns where nothing has been collected yet


def _load_settings() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    from django.conf import settings

    # People of stories sign in by the hundred, and a slow hash says nothing about them; the real ones stay readable.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
    database = settings.DATABASES["default"]
    if "sqlite" in database["ENGINE"]:
        # A file, as in real life: WAL and locks are not those of a database in memory.
        database.setdefault("TEST", {})["NAME"] = f"{os.environ['PORTAL_HOME']}/test.sqlite3"


# A worker of xdist has inherited all this from the process that started it.
if "PYTEST_XDIST_WORKER" not in os.environ:
    _prepare_environment(_HOME.enter_context(workspace("tests")))
_load_settings()
network.forbid_foreign_addresses()
flush.let_flush_through()

# The gate says the same thing twice about the same code; searching further is the long run's work. No deadline: the
# machine may be busy.
hypothesis.settings.register_profile("gate", derandomize=True, deadline=None)
hypothesis.settings.register_profile("long", deadline=None, max_examples=2000)
hypothesis.settings.load_profile("gate")

ON_POSTGRES = os.environ["DATABASE_URL"].startswith("postgres")


def pytest_unconfigure() -> None:
    _HOME.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "postgres" in item.keywords and not ON_POSTGRES:
            item.add_marker(
                pytest.mark.skip(reason="runs on PostgreSQL: python -m tests.real.postgres python -m pytest")
            )


@pytest.fixture
def ports() -> Iterator[Ports]:
    """Free loopback ports, held until the test ends."""
    with Ports() as held:
        yield held


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Servers of one test, stopped in reverse when it ends."""
    with Processes(tmp_path / "log") as running:
        yield running


@pytest.fixture
def start_registry(tmp_path: Path, ports: Ports, processes: Processes) -> RegistryStarter:
    """Starts real registries: ``start_registry("prod", token=..., bundle=..., upstream=...)``."""
    _skip_if(registries.why_absent())
    return RegistryStarter(tmp_path / "registries", ports, processes)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The DATABASE_URL of a real PostgreSQL, for tests that start a portal on one."""
    if ON_POSTGRES:
        yield os.environ["DATABASE_URL"]
        return
    _skip_if(postgres.why_absent())
    with postgres.postgres_cluster() as url:
        yield url


@pytest.fixture(scope="session")
def engine_host() -> Iterator[str]:
    """DOCKER_HOST of a Docker engine of our own."""
    _skip_if(engine.why_absent())
    with engine.docker_engine() as host:
        yield host


@pytest.fixture
def docker(engine_host: str, tmp_path: Path) -> Docker:
    """A person's docker command line with an engine behind it and no logins yet."""
    return engine.docker_with_engine(tmp_path / "docker", engine_host)


@pytest.fixture(scope="session")
def chromium_browser() -> Iterator[Browser]:
    _skip_if(browser.why_absent())
    with browser.chromium() as running:
        yield running


@pytest.fixture
def page(chromium_browser: Browser) -> Iterator[Page]:
    """A page in a context of its own: no cookies, 1440 wide."""
    context = chromium_browser.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


def _skip_if(reason: str) -> None:
    if reason:
        pytest.skip(reason)
