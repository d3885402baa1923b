"""``manage.py`` as a process of its own, in a home and an environment that the test gives it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
KEY = "a25vd24tdG8tZXZlcnlib2R5LWdvb2QtNC10ZXN0czI="
SECRETS = {"PORTAL_SECRET_KEY": "known-to-everybody-and-good-for-tests-alone", "PORTAL_ENCRYPTION_KEYS": KEY}


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a portal in this home is told, and nothing of the environment the tests run in."""
    return {"PATH": "/usr/bin:/bin", "PORTAL_HOME": str(home), "EMAIL_URL": "memory:", **more}


def manage(home: Path, *arguments: str, given: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    return manage_in(environment(home, **more), *arguments, given=given)


def manage_in(variables: Mapping[str, str], *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error::ResourceWarning", str(CHECKOUT / "manage.py"), *arguments]
    return subprocess.run(command, env=dict(variables), input=given, capture_output=True, text=True, timeout=90)
