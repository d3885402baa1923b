"""A worker in a process of its own, on the database of the test: to be killed in the middle of its work."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection
from django.utils import timezone

from portal.jobs.models import Job

ROOT = Path(__file__).resolve().parents[2]
_SCRIPT = """
import sys
import django
django.setup()
from portal.jobs.queue import job_model
from portal.jobs.run import run_job
run_job(job_model(sys.argv[1]), int(sys.argv[2]))
"""


@contextmanager
def worker(job: Job) -> Iterator[subprocess.Popen[bytes]]:
    """Runs one job; killed without mercy when the block ends."""
    command = [sys.executable, "-c", _SCRIPT, job._meta.label_lower, str(job.pk)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": _database_url()})
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=10)


def give_up_for_dead(job: Job) -> None:
    """As when the lease of a runner that died is over."""
    type(job)._default_manager.filter(pk=job.pk).update(lease_until=timezone.now())


def _database_url() -> str:
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    return f"postgres://{settings['USER']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
