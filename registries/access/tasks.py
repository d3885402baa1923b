"""What the clock asks of access."""

from celery import shared_task

from registries.access.tally import forget_old_denials, tally


@shared_task(name="registries.access.flush_counters")
def flush_counters() -> int:
    """Write down what was counted in this process, and forget denials that nobody met for long."""
    forget_old_denials()
    return tally.flush()
