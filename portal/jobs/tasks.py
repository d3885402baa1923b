"""The one task that runs jobs, and the sweeper that finds what messages lost."""

from celery import shared_task

from portal.jobs import queue
from portal.jobs.run import run_job


@shared_task(name="portal.jobs.run")
def run(label: str, pk: int) -> None:
    """Run one job if it is due and free."""
    run_job(queue.job_model(label), pk)


@shared_task(name="portal.jobs.sweep")
def sweep() -> int:
    """Find due and abandoned jobs."""
    return queue.sweep()
