"""docs/credentials.md: its commands are sent to a real portal, and its tables hold what is so."""

import json
import os
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from registries.access.credential.credential_rotation import LONGEST_OVERLAP
from registries.access.credential.credentials import PERSON, ROBOT, issue_robot_secret
from registries.access.credential.issuing import MOST_OF_A_PERSON, MOST_OF_A_ROBOT
from registries.access.credential.warn import DAYS, TOPIC
from registries.access.models import Secret
from tests.registries.access.cast import ADMIN, make_robot, make_team

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "credentials.md").read_text()
COMMANDS = [block for block in re.findall(r"^```\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE) if "curl " in block]


def run(command: str, **environment: str) -> str:
    """As somebody would who pasted it."""
    shell = shutil.which("sh")
    assert shell is not None
    ended = subprocess.run(
        [shell, "-c", command],
        env={"PATH": os.environ["PATH"], "NO_PROXY": "*", **environment},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(shutil.which("curl") is None, reason="the commands of the page are curl's, which is not installed")
def test_the_commands_do_what_the_page_says(live_server: LiveServer) -> None:
    robot = make_robot("payments-ci", make_team("payments"))
    old, text = issue_robot_secret(ADMIN, robot, "runner", timezone.now() + timedelta(days=30))
    post, delete = COMMANDS
    where = {"PORTAL": live_server.url, "ROBOT_SECRET": text}
    made = json.loads(run(post, CI_PIPELINE_ID="7", **where))
    assert {"secret", "handle", "expires_at", "old_works_until"} <= set(made)
    new = Secret.objects.get(handle=made["handle"])
    assert new.replaces == old
    assert run(delete, HANDLE=made["handle"], **where) == ""
    new.refresh_from_db()
    assert new.revoked_at is not None
    assert json.loads(run(post, CI_PIPELINE_ID="8", **where))["handle"] != made["handle"]


def test_the_figures_are_those_of_the_code() -> None:
    words = " ".join(PAGE.split())
    assert f"`{PERSON}_`" in words
    assert f"`{ROBOT}_`" in words
    assert f"A person has {MOST_OF_A_PERSON} tokens that work at most, a robot {MOST_OF_A_ROBOT} secrets" in words
    assert f"to {LONGEST_OVERLAP.days} days" in words
    assert DAYS == (14, 3, 1)
    assert "Fourteen days, three days and one day" in words
    assert f"`{TOPIC}`" in words


@pytest.mark.parametrize("code", re.findall(r"^\| 4\d\d `(\w+)` ", PAGE, re.MULTILINE))
def test_the_refusals_are_among_those_that_are_made(code: str) -> None:
    root = Path(__file__).resolve().parents[2]
    sources = [
        root / "registries/access/credential/issuing.py",
        root / "registries/access/credential/credential_rotation.py",
        root / "portal/api/views/robot_secrets.py",
    ]
    assert any(f'"{code}"' in source.read_text() for source in sources)
