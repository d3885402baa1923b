"""What the clock asks of replication."""

from celery import shared_task

from promotions.replication import reconcile as work


@shared_task(name="promotions.replication.reconcile")
def reconcile() -> int:
    """Bring every target nearer to what its rules want."""
    return work.reconcile()
