"""What intakes need: registries that answer, a team that owns, and ways to let jobs run."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from portal.jobs.models import JobState
from portal.jobs.run import run_job
from portal.users.models import Team
from promotions.archive.entries import add_entry
from promotions.archive.models import ArchiveEntry, IntakeJob
from registries.copies.models import CopyJob
from registries.oci.auth import Anonymous
from registries.oci.client import Client
from registries.oci.digest import Digest
from registries.topology.models import Registry, ZoneKind
from tests.fakes.content import put_two_platforms
from tests.fakes.scripted_registry import ScriptedRegistry
from tests.promotions.workflow.world import SETUP
from tests.registries.rows import make_registry

NAME = "library/alpine"


@dataclass
class Shelves:
    """The servers, their rows, and the team."""

    hub_server: ScriptedRegistry
    archive_server: ScriptedRegistry
    hub: Registry
    archive: Registry
    team: Team

    def publish(self, tag: str = "3.20") -> Digest:
        """Upstream releases an image of two platforms."""
        with closing(Client(self.hub_server.url, Anonymous(), name="publisher")) as client:
            return put_two_platforms(client, NAME, tag)

    def entry(self, **changes: Any) -> ArchiveEntry:
        """A new entry, not saved."""
        fields: dict[str, Any] = {
            "upstream": self.hub,
            "upstream_repository": NAME,
            "upstream_tag": "3.20",
            "archive": self.archive,
            "repository": "upstream/alpine",
            "tag": "3.20",
            "owner": self.team,
            "reason": "Base of all services until 2027.",
        }
        return ArchiveEntry(**{**fields, **changes})

    def add(self, **changes: Any) -> ArchiveEntry:
        return add_entry(SETUP, self.entry(**changes))


@contextmanager
def open_shelves() -> Iterator[Shelves]:
    with ScriptedRegistry().running() as hub, ScriptedRegistry().running() as archive:
        yield Shelves(
            hub,
            archive,
            make_registry("hub", hub.url, kind=ZoneKind.UPSTREAM),
            make_registry("archive", archive.url, kind=ZoneKind.ARCHIVE),
            Team.objects.create(name="platform"),
        )


def turn(entry: ArchiveEntry) -> IntakeJob:
    """The newest intake gets a turn, as a worker would give it."""
    job = IntakeJob.objects.filter(entry=entry).order_by("-id")[0]
    IntakeJob.objects.filter(pk=job.pk).update(next_run_at=timezone.now())
    run_job(IntakeJob, job.pk)
    job.refresh_from_db()
    entry.refresh_from_db()
    return job


def run_copies() -> list[CopyJob]:
    """Every open copy runs."""
    pks = list(CopyJob.objects.filter(state=JobState.QUEUED).values_list("pk", flat=True))
    for pk in pks:
        CopyJob.objects.filter(pk=pk).update(next_run_at=timezone.now())
        run_job(CopyJob, pk)
    return list(CopyJob.objects.filter(pk__in=pks))


def bring_in(entry: ArchiveEntry) -> IntakeJob:
    """Order, copy, settle."""
    turn(entry)
    run_copies()
    return turn(entry)
