"""Put work where workers find it. The row is written first; the message follows after commit and may be lost."""

import logging
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from portal.actor import Actor
from portal.jobs.kinds import job_models
from portal.jobs.models import Job, JobState

logger = logging.getLogger(__name__)
# Workers drop an older hint unread. The sweeper repeats itself, and a broker must not fill up while all workers are busy.
HINT_SECONDS = 30


def job_fields(actor: Actor, cause: Model | None = None, *, run_at: datetime | None = None) -> dict[str, Any]:
    """The fields every new job row needs: who asked, because of what, and when it is due."""
    return {
        "actor_kind": actor.kind,
        "actor_key": actor.key,
        "actor_name": actor.name,
        "cause_label": cause._meta.label_lower if cause is not None else "",
        "cause_key": str(cause.pk) if cause is not None else "",
        "cause_name": str(cause)[:255] if cause is not None else "",
        "next_run_at": run_at or timezone.now(),
    }


def enqueue(job: Job) -> None:
    """Tell a worker, once the transaction that wrote the row is committed."""
    label, pk = job._meta.label_lower, job.pk
    transaction.on_commit(lambda: send_hint(label, pk))


def send_hint(label: str, pk: int) -> None:
    """One message to the broker. A broker that is down costs time, never work: the sweeper finds the row."""
    from celery import current_app
    from kombu.exceptions import OperationalError

    try:
        current_app.send_task("portal.jobs.run", (label, pk), expires=HINT_SECONDS)
    except OperationalError as error:
        logger.warning("The broker took no message for %s %s (%s); the sweeper will find the row.", label, pk, error)


def wake(task_name: str) -> None:
    """Run a periodic task now instead of at its next turn, after commit."""
    from celery import current_app
    from kombu.exceptions import OperationalError

    def send() -> None:
        try:
            current_app.send_task(task_name, expires=HINT_SECONDS)
        except OperationalError as error:
            logger.warning("The broker took no message for %s (%s); it will run at its next turn.", task_name, error)

    transaction.on_commit(send)


def sweep(now: datetime | None = None, limit: int = 200) -> int:
    """Send a hint for every due or abandoned job; how many. Running it twice is harmless: a claim is exclusive."""
    now = now or timezone.now()
    sent = 0
    for model in job_models():
        for pk in model.queue.claimable(now).order_by("next_run_at").values_list("pk", flat=True)[:limit]:
            send_hint(model._meta.label_lower, pk)
            sent += 1
    return sent


def open_jobs() -> int:
    """How many jobs of any kind are waiting or running."""
    return sum(
        model._default_manager.filter(state__in=[JobState.QUEUED, JobState.RUNNING]).count() for model in job_models()
    )


def job_model(label: str) -> type[Job]:
    """The job model of a label like ``catalog.syncjob``; LookupError if it is none."""
    model = apps.get_model(label)
    if not issubclass(model, Job):
        raise LookupError(f"{label} is not a kind of job.")
    return model
