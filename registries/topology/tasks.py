"""What the clock asks of the topology."""

from celery import shared_task

from registries.topology.health import probe_due


@shared_task(name="registries.topology.probe")
def probe() -> int:
    """Ask the registries whose answer is old how they are."""
    return probe_due()
