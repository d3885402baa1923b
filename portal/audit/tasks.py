"""What the clock asks of the audit."""

from celery import shared_task

from portal.audit.seal import seal_committed


@shared_task(name="portal.audit.seal")
def seal() -> int:
    """Seal what was committed."""
    return seal_committed()
