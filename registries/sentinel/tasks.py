"""What the clock asks of the sentinel."""

from celery import shared_task
from django.utils import timezone

from registries.sentinel.look import look_at_all
from registries.sentinel.tell import tell_new


@shared_task(name="registries.sentinel.look")
def look() -> int:
    """Look at what has changed, and tell of what is wrong."""
    looked = look_at_all(timezone.now())
    tell_new(timezone.now())
    return looked
