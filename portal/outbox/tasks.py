"""What the clock asks of the outbox."""

from celery import shared_task

from portal.outbox.deliver import deliver_due


@shared_task(name="portal.outbox.deliver")
def deliver() -> int:
    """Send what is due."""
    return deliver_due()
