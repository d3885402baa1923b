"""``manage.py sync_catalog [REGISTRY ...] [--wait]``: bring the catalog up to date now."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.actor import system
from portal.jobs.models import JobState
from portal.jobs.run import run_job
from registries.catalog.models import SyncJob
from registries.catalog.sync import request_sync, why_not_swept
from registries.topology.models import Registry

POLL_SECONDS = 0.2


class Command(BaseCommand):
    help = "Bring the catalog up to date with what the registries hold."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", nargs="*", help="names of registries; all that are synced when none is given")
        parser.add_argument("--wait", action="store_true", help="run here and now, and fail when a registry fails")

    def handle(self, *args: Any, **options: Any) -> None:
        jobs = [request_sync(system("sync"), registry) for registry in self._chosen(options["registry"])]
        if not options["wait"]:
            self.stdout.write(f"Ordered {len(jobs)} syncs; workers do them.")
            return
        ended = [_run_or_follow(job) for job in jobs]
        for job in ended:
            self.stdout.write(_line(job))
        failed = [job.registry.name for job in ended if job.state != JobState.DONE]
        if failed:
            raise CommandError(f"Not synced: {', '.join(failed)}.")

    @staticmethod
    def _chosen(names: list[str]) -> list[Registry]:
        if not names:
            enabled = Registry.objects.filter(is_sync_enabled=True)
            return [registry for registry in enabled if not why_not_swept(registry)]
        found = {registry.name: registry for registry in Registry.objects.filter(name__in=names)}
        unknown = sorted(set(names) - found.keys())
        if unknown:
            raise CommandError(f"There is no registry {unknown[0]}.")
        return [found[name] for name in names]


def _run_or_follow(job: SyncJob) -> SyncJob:
    """Run it here, one try; follow it when a worker was quicker."""
    ended = run_job(SyncJob, job.pk)
    while ended is None:
        time.sleep(POLL_SECONDS)
        job.refresh_from_db()
        ended = job if job.is_ended else None
    return ended


def _line(job: SyncJob) -> str:
    if job.state != JobState.DONE:
        return f"{job.registry}: {job.state}: {job.reason_text}"
    text = (
        f"{job.registry}: {job.repositories_read} repositories read, {job.tags_created} tags new, "
        f"{job.tags_moved} moved, {job.tags_removed} gone"
    )
    return f"{text}; {job.reason_text}" if job.reason_text else text
