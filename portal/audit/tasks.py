"""What the clock asks of the audit."""

from celery import shared_task
from django.db import IntegrityError

from portal.audit.seal import seal_committed


@shared_task(name="portal.audit.seal")
def seal() -> int:
    """Seal what was committed; a second sealer at the same moment gives way."""
    try:
        return seal_committed()
    except IntegrityError:
        return 0
