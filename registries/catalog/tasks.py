"""Periodic work of the catalog."""

from celery import shared_task
from django.utils import timezone

from registries.catalog.sync import request_due_syncs


@shared_task(name="registries.catalog.sync_due")
def sync_due() -> int:
    """Order the syncs that are due."""
    return request_due_syncs(timezone.now())
