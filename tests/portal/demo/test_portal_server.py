"""A portal of one's own: `manage.py setup`, then `manage.py serve`, and afterwards nothing is left of it."""

import os
from pathlib import Path

import pytest

from portal.demo.portal_server import PortalServer
from portal.demo.ports import Ports
from portal.demo.processes import Processes

PASSWORD = "correct-horse-battery-staple"


@pytest.fixture
def portal(tmp_path: Path, ports: Ports) -> PortalServer:
    server = PortalServer(tmp_path / "home", ports.take())
    setup = ["setup", "--admin", "root", "--email", "root@example.com", "--password-file", "-"]
    server.manage(*setup, given=PASSWORD).or_fail("setup")
    return server


def test_it_comes_up_and_goes_with_all_its_processes(portal: PortalServer, tmp_path: Path) -> None:
    with Processes(tmp_path / "log") as processes:
        running = portal.start(processes)
        processes.check()
        assert portal.is_up()
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)
    assert not portal.is_up()


def test_settings_of_the_persons_own_portal_do_not_leak_in(
    portal: PortalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody@127.0.0.1:1/precious")
    monkeypatch.setenv("PORTAL_SECRET_KEY", "precious")
    env = portal.env()
    assert "DATABASE_URL" not in env
    assert "PORTAL_SECRET_KEY" not in env
    assert env["PORTAL_BASE_URL"] == portal.url
