"""Every kind of job looks the same in the admin; and locks and pauses can be seen."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest

from portal.actor import Actor
from portal.admin_site import ModelAdmin, ReadOnlyAdmin, action, display, has_role, register
from portal.jobs.models import HostPause, Job, Lock
from portal.jobs.queue import enqueue
from portal.jobs.run import request_cancel, retry_now

STATE_COLOURS = {"queued": "info", "running": "warning", "done": "success", "failed": "danger", "cancelled": "info"}


class JobAdmin(ReadOnlyAdmin):
    """List, progress, cancel and retry; subclasses add their own columns in ``job_columns``."""

    job_columns: list[str] = []
    act_roles: ClassVar[Sequence[str]] = ("platform_admin", "release_manager")
    list_filter = ["state", "reason_code"]
    search_fields = ["reason_text", "cause_name", "actor_name"]
    ordering = ["-id"]
    actions = ["cancel_selected", "retry_selected"]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        own = ["id", *self.job_columns, "state_label", "progress_label", "cause_name", "created_at", "reason_text"]
        return [self.column(name) for name in own]

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may cancel and retry."""
        return has_role(request, *self.act_roles)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """A job that does not stand alone is tried again by trying again what ordered it."""
        return self.model.stands_alone and self.has_act_permission(request)

    @display(description="state", label=STATE_COLOURS, ordering="state")
    def state_label(self, job: Job) -> str:
        return str(job.state)

    @display(description="progress")
    def progress_label(self, job: Job) -> str:
        percent = job.progress_percent
        return f"{percent} % {job.progress_note}".strip() if percent is not None else job.progress_note

    @action(description="Cancel", permissions=["act"])
    def cancel_selected(self, request: HttpRequest, queryset: Any) -> None:
        stopped = sum(request_cancel(job, _actor(request)) for job in queryset)
        messages.info(request, f"Asked {stopped} jobs to stop.")

    @action(description="Try again", permissions=["retry"])
    def retry_selected(self, request: HttpRequest, queryset: Any) -> None:
        again = [job for job in queryset if retry_now(job, _actor(request))]
        for job in again:
            enqueue(job)
        messages.info(request, f"{len(again)} jobs will run again.")


def _actor(request: HttpRequest) -> Actor:
    user: Any = request.user
    actor: Actor = user.actor
    return actor


@register(Lock)
class LockAdmin(ReadOnlyAdmin):
    list_display = ["name", "owner", "until"]


@register(HostPause)
class HostPauseAdmin(ModelAdmin):
    list_display = ["host", "until", "reason"]
    can_add = False
