"""The portal of the demo: its own home folder, its commands, and the one process that serves it."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from portal.demo.ports import LOOPBACK
from portal.demo.processes import Processes, Running, http_answers
from portal.demo.programs import Outcome, run

CHECKOUT = Path(__file__).resolve().parents[2]
# Settings of a portal that the person may run besides; none of them is about ours.
_FOREIGN = ("PORTAL_", "DATABASE_URL", "CELERY_BROKER_URL", "EMAIL_URL", "DJANGO_SETTINGS_MODULE")


@dataclass(frozen=True)
class PortalServer:
    """Runs from ``home`` with the embedded defaults; ``extra`` are settings beyond those."""

    home: Path
    port: int
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        return {**kept, "PORTAL_HOME": str(self.home), "PORTAL_BASE_URL": self.url, **self.extra}

    def manage(self, *arguments: str, given: str | None = None, timeout_seconds: float = 120) -> Outcome:
        """One management command, run to its end."""
        command = [sys.executable, str(CHECKOUT / "manage.py"), *arguments]
        return run(command, env=self.env(), folder=CHECKOUT, given=given, timeout_seconds=timeout_seconds)

    def start(self, processes: Processes) -> Running:
        """Everything in one process: pages, API, tokens and jobs. Waits until it answers."""
        command: list[str | Path] = [
            sys.executable,
            CHECKOUT / "manage.py",
            "serve",
            "--bind",
            f"{LOOPBACK}:{self.port}",
        ]
        running = processes.start("portal", command, env=self.env(), folder=CHECKOUT, grace_seconds=15)
        processes.wait_for(running, self.is_up, deadline_seconds=60)
        return running

    def is_up(self) -> bool:
        return http_answers(LOOPBACK, self.port, "/healthz", below=400)
