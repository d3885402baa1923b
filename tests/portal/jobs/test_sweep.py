"""The row is the truth: whatever happens to the message, or to the process that had taken the job, the sweeper finds it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.db import connection, transaction
from django.utils import timezone

from portal.jobs import tasks
from portal.jobs.queue import enqueue, job_model, open_jobs, sweep, wake
from portal.jobs.run import claim_job, run_job
from registries.catalog.models import SyncJob
from tests.portal.command_line import CHECKOUT, SECRETS, environment
from tests.portal.jobs.play import HandledBy, MakeJob, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database_both]

# Takes the job with a short lease, says so, and works until it is killed.
RUNNER = """
import sys, time
from datetime import timedelta
import django
django.setup()
from django.conf import settings
from portal.jobs import kinds
from portal.jobs.run import run_job
from registries.catalog.models import SyncJob

def work(claim):
    claim.write(tags_created=1)
    print("at work", flush=True)
    time.sleep(60)

settings.JOB_LEASE = timedelta(seconds=1)
kinds.register_job(SyncJob, work)
run_job(SyncJob, int(sys.argv[1]))
"""


Hints = Callable[[], list[tuple[str, list[Any]]]]

# Asks for work where the broker of CELERY_BROKER_URL is not there.
ASKER = """
import sys, time
import django
django.setup()
from django.db import transaction
from portal.jobs.queue import enqueue, wake
from registries.catalog.models import SyncJob

began = time.monotonic()
with transaction.atomic():
    enqueue(SyncJob.objects.get(pk=int(sys.argv[1])))
    wake("portal.jobs.sweep")
print(time.monotonic() - began)
"""


@pytest.fixture
def hints() -> Iterator[Hints]:
    """Takes from the broker what has reached it: names and arguments of tasks."""
    with current_app.connection_for_read() as broker:
        queue = broker.SimpleQueue(current_app.conf.task_default_queue, no_ack=True)

        def take() -> list[tuple[str, list[Any]]]:
            messages = [queue.get_nowait() for _ in range(queue.qsize())]
            assert all(message.headers["expires"] for message in messages), "Unread hints would pile up."
            return [(message.headers["task"], message.payload[0]) for message in messages]

        take()
        yield take


def start(code: str, job: SyncJob, home: Path, **more: str) -> subprocess.Popen[str]:
    """A process of ours on the database of this test."""
    name = connection.settings_dict["NAME"]
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    url = f"sqlite:///{name}" if connection.vendor == "sqlite" else f"{server}/{name}"
    variables = environment(home, DATABASE_URL=url, DJANGO_SETTINGS_MODULE="portal.settings", **SECRETS, **more)
    command = [sys.executable, "-c", code, str(job.pk)]
    return subprocess.Popen(
        command, env=variables, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_hint_leaves_after_the_commit_and_not_without_it(make_job: MakeJob, hints: Hints) -> None:
    with transaction.atomic():
        job = make_job()
        enqueue(job)
        wake("portal.jobs.sweep")
        assert hints() == []
    assert hints() == [("portal.jobs.run", ["catalog.syncjob", job.pk]), ("portal.jobs.sweep", [])]
    with transaction.atomic():
        enqueue(job)
        transaction.set_rollback(True)
    assert hints() == []


def test_a_lost_hint_costs_time_and_no_work(make_job: MakeJob, handled_by: HandledBy, hints: Hints) -> None:
    handled_by(lambda claim: None)
    job = make_job()
    assert sweep() == 1
    ((_, arguments),) = hints()
    tasks.run(*arguments)
    tasks.run(*arguments)
    job.refresh_from_db()
    assert (job.state, job.attempt) == ("done", 1)
    assert sweep() == 0


def test_the_sweeper_takes_what_is_due_or_abandoned_and_nothing_else(
    make_job: MakeJob, handled_by: HandledBy, hints: Hints
) -> None:
    handled_by(lambda claim: None)
    now = timezone.now()
    due = make_job("due")
    abandoned = make_job("abandoned", state="running", lease_until=now - timedelta(seconds=1))
    make_job("later", next_run_at=now + timedelta(minutes=5))
    make_job("at-work", state="running", lease_until=now + timedelta(seconds=30))
    make_job("done", state="done")
    assert sweep() == 2
    assert {arguments[1] for _, arguments in hints()} == {due.pk, abandoned.pk}
    assert open_jobs() == 4


def test_a_broker_that_is_down_is_no_error_of_the_one_who_asks(make_job: MakeJob, tmp_path: Path) -> None:
    asker = start(ASKER, make_job(), tmp_path, CELERY_BROKER_URL="redis://127.0.0.1:1/0")
    said, complaint = asker.communicate(timeout=60)
    assert asker.returncode == 0, complaint
    assert float(said) < 10
    assert "the sweeper will find the row" in complaint


def test_a_hint_for_something_that_is_no_job_is_refused() -> None:
    with pytest.raises(LookupError, match=r"users\.user is not a kind of job"):
        job_model("users.user")


def test_a_job_whose_process_was_killed_is_taken_over(
    make_job: MakeJob, handled_by: HandledBy, hints: Hints, tmp_path: Path
) -> None:
    job = make_job()
    runner = start(RUNNER, job, tmp_path)
    try:
        assert runner.stdout is not None
        assert runner.stdout.readline() == "at work\n"
        assert claim_job(SyncJob, job.pk) is None
    finally:
        runner.send_signal(signal.SIGKILL)
        runner.communicate(timeout=10)
    handled_by(lambda claim: claim.write(tags_moved=2))
    assert until(sweep) == 1
    assert hints() == [("portal.jobs.run", ["catalog.syncjob", job.pk])]
    taken_over = run_job(SyncJob, job.pk)
    assert taken_over is not None
    assert (taken_over.state, taken_over.attempt, taken_over.fence) == ("done", 2, 2)
    assert (taken_over.tags_created, taken_over.tags_moved) == (1, 2)
