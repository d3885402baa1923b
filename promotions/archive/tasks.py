"""What the clock asks of the archive."""

from celery import shared_task

from promotions.archive import due


@shared_task(name="promotions.archive.intake_due")
def intake_due() -> int:
    """Start intakes of entries that wait."""
    return due.intake_due()
