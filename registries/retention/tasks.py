"""Periodic work of cleanup."""

from celery import shared_task
from django.utils import timezone

from registries.retention.automatic import execute_ready_plans, request_due_plans, settle_left_plans


@shared_task(name="registries.retention.plan_due")
def plan_due() -> int:
    """Make and execute automatic plans that are due, and settle those that were left."""
    settle_left_plans()
    return request_due_plans(timezone.now()) + execute_ready_plans()
