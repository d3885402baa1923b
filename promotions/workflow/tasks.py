"""What runs by itself."""

from celery import shared_task

from promotions.workflow.advance import advance as advance_all


@shared_task(name="promotions.workflow.advance")
def advance() -> int:
    """Move every request that is due."""
    return advance_all()
