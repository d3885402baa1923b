"""Which kinds of jobs are there, and who runs each? Apps register their job models once, in ``ready()``."""

from collections.abc import Callable
from typing import Any

from portal.jobs.models import Job

Handler = Callable[[Any], None]
_handlers: dict[type[Job], Handler] = {}
_followers: dict[type[Job], list[str]] = {}


def register_job(model: type[Job], handler: Handler) -> None:
    """``handler`` gets a :class:`portal.jobs.run.Claim` of the model; returning means done, raising says otherwise."""
    _handlers[model] = handler


def follow_jobs(model: type[Job], task_name: str) -> None:
    """Have a periodic task woken whenever a job of this kind has come to rest. Upper floors follow the jobs of lower ones."""
    names = _followers.setdefault(model, [])
    if task_name not in names:
        names.append(task_name)


def followers_of(model: type[Job]) -> list[str]:
    """Who is woken when a job of this kind has come to rest."""
    return _followers.get(model, [])


def handler_of(model: type[Job]) -> Handler:
    """The registered handler; KeyError for a model nobody registered."""
    return _handlers[model]


def job_models() -> list[type[Job]]:
    """All kinds, in order of registration."""
    return list(_handlers)
