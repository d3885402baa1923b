"""Which work runs by itself, and when? Composes the tasks of all apps into one Celery application."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Seconds. Each task is cheap when nothing is due; the rows say what is due, the clock only asks.
app.conf.beat_schedule = {
    name: {"task": name, "schedule": seconds, "options": {"expires": seconds * 2}}
    for name, seconds in {
        "portal.jobs.sweep": 2.0,
        "portal.audit.seal": 3.0,
        "portal.outbox.deliver": 3.0,
        "registries.topology.probe": 5.0,
        "registries.catalog.sync_due": 5.0,
        "registries.access.flush_counters": 10.0,
        "registries.access.warn_of_ends": 900.0,
        "registries.sentinel.look": 10.0,
        "registries.access.mind_grants": 60.0,
        "registries.access.remind_reviewers": 3600.0,
        "registries.retention.plan_due": 60.0,
        "promotions.workflow.advance": 2.0,
        "promotions.replication.reconcile": 3.0,
        "promotions.archive.intake_due": 5.0,
    }.items()
}
