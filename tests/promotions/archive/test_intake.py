"""An upstream image comes in: its tag is resolved once, and it is there when it was read back."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.http.problem import Problem
from portal.jobs.models import JobState
from portal.jobs.run import request_cancel
from promotions.archive.due import intake_due
from promotions.archive.entries import start_intake
from promotions.archive.models import ArchiveEntry, IntakeJob
from registries.catalog.models import Hold, Tag
from registries.copies.models import CopyJob
from registries.oci.digest import Digest
from registries.topology.models import ZoneKind
from tests.fakes import faults
from tests.promotions.archive.shelves import NAME, Shelves, bring_in, run_copies, turn
from tests.promotions.workflow.world import SETUP, make_registry

State = ArchiveEntry.State
pytestmark = pytest.mark.database_both


def test_an_image_comes_in_and_was_read_back(shelves: Shelves) -> None:
    digest = shelves.publish()
    entry = shelves.add()
    assert entry.state == State.IMPORTING
    first = turn(entry)
    assert (first.state, first.reason_code) == (JobState.QUEUED, "copying")
    assert entry.digest == digest
    assert entry.pinned_at is not None
    (copy,) = run_copies()
    assert (copy.principal, copy.purpose, copy.expected_digests) == ("importer", "archive", {"3.20": ""})
    last = turn(entry)
    assert (last.state, entry.state) == (JobState.DONE, State.PRESENT)
    assert entry.imported_at == copy.verified_at
    assert shelves.archive_server.tags["upstream/alpine"]["3.20"] == digest
    assert Tag.objects.get(repository__registry=shelves.archive).manifest.digest == digest
    hold = Hold.objects.get()
    assert (hold.digest, hold.kind) == (digest, Hold.Kind.ARCHIVE)
    verbs = set(AuditEvent.objects.filter(object_label="archive.archiveentry").values_list("verb", flat=True))
    assert verbs == {f"archiveentry.{verb}" for verb in ("created", "intake_started", "pinned", "imported")}


def test_the_tag_is_asked_once_and_by_head(shelves: Shelves) -> None:
    """A HEAD counts as no pull at the hub."""
    shelves.publish()
    bring_in(shelves.add())
    assert len(shelves.hub_server.requests("HEAD", "/manifests/3.20")) == 1
    assert not shelves.hub_server.requests("GET", "/manifests/3.20")


def test_what_upstream_does_to_its_tag_later_changes_nothing(shelves: Shelves) -> None:
    old = shelves.publish()
    entry = shelves.add()
    turn(entry)
    shelves.hub_server.tags[NAME]["3.20"] = str(Digest.of(b"another build"))
    run_copies()
    turn(entry)
    assert (entry.state, entry.digest) == (State.PRESENT, old)


def test_a_digest_given_with_the_entry_is_the_pin(shelves: Shelves) -> None:
    digest = shelves.publish()
    shelves.hub_server.tags[NAME]["3.20"] = str(Digest.of(b"another build"))
    entry = shelves.add(digest=digest)
    assert entry.pinned_at is not None
    bring_in(entry)
    assert (entry.state, entry.digest) == (State.PRESENT, digest)


def test_a_tag_that_is_not_there(shelves: Shelves) -> None:
    entry = shelves.add()
    job = turn(entry)
    assert (job.state, job.reason_code) == (JobState.FAILED, "missing_upstream")
    assert entry.state == State.FAILED
    assert "hub/library/alpine has no tag 3.20" in entry.reason_text
    assert not entry.digest
    assert not CopyJob.objects.exists()


def test_a_pinned_digest_that_vanished_upstream_says_so_and_is_not_replaced(shelves: Shelves) -> None:
    shelves.publish()
    gone = Digest.of(b"gone")
    entry = shelves.add(digest=gone)
    job = turn(entry)
    assert job.reason_code == "vanished_upstream"
    assert "has vanished from hub" in entry.reason_text
    assert entry.digest == gone
    assert intake_due(timezone.now() + timedelta(days=2)) == 0, "only a person can put this right"


def test_an_upstream_that_stumbles_is_asked_again(shelves: Shelves) -> None:
    shelves.publish()
    shelves.hub_server.on("HEAD", "/manifests/3.20", faults.status(429, "TOOMANYREQUESTS", Retry_After="120"), times=9)
    entry = shelves.add()
    job = turn(entry)
    assert (job.state, job.reason_code, job.attempt) == (JobState.QUEUED, "rate_limited", 0)
    assert job.next_run_at > timezone.now() + timedelta(seconds=100)
    assert entry.state == State.IMPORTING
    assert turn(entry).reason_code == "paused", "every job leaves a host alone that asked for it"


def test_a_web_page_is_no_registry(shelves: Shelves) -> None:
    shelves.publish()
    shelves.hub_server.on("HEAD", "/manifests/3.20", faults.web_page(), times=9)
    shelves.hub_server.on("GET", "/manifests/3.20", faults.web_page(), times=9)
    entry = shelves.add()
    job = turn(entry)
    assert (job.state, job.reason_code) == (JobState.FAILED, "not_a_registry")
    assert entry.state == State.FAILED
    assert "web page" in entry.reason_text


def test_a_copy_that_fails_fails_the_entry_with_its_sentence(shelves: Shelves) -> None:
    shelves.publish()
    entry = shelves.add()
    turn(entry)
    CopyJob.objects.update(state=JobState.FAILED, reason_code="denied", reason_text="archive: no right to push.")
    assert turn(entry).state == JobState.FAILED
    assert (entry.state, entry.reason_text) == (State.FAILED, "archive: no right to push.")


def test_done_without_being_read_back_is_not_there(shelves: Shelves) -> None:
    shelves.publish()
    entry = shelves.add()
    turn(entry)
    CopyJob.objects.update(state=JobState.DONE)
    turn(entry)
    assert entry.state == State.FAILED
    assert "read back" in entry.reason_text


def test_a_name_that_is_taken_in_the_archive_is_left_alone(shelves: Shelves) -> None:
    shelves.publish()
    shelves.archive_server.tags["upstream/alpine"] = {"3.20": str(Digest.of(b"theirs"))}
    shelves.archive_server.manifests["upstream/alpine", str(Digest.of(b"theirs"))] = (b"theirs", "text/plain")
    entry = shelves.add()
    bring_in(entry)
    assert entry.state == State.FAILED
    assert shelves.archive_server.tags["upstream/alpine"]["3.20"] == str(Digest.of(b"theirs"))


def test_import_again_after_a_failure(shelves: Shelves) -> None:
    entry = shelves.add()
    turn(entry)
    digest = shelves.publish()
    start_intake(SETUP, entry)
    bring_in(entry)
    assert (entry.state, entry.digest) == (State.PRESENT, digest)
    with pytest.raises(Problem) as caught:
        start_intake(SETUP, entry)
    assert caught.value.code == "already_present"


def test_whoever_asks_while_it_is_at_work_gets_that_job(shelves: Shelves) -> None:
    shelves.publish()
    entry = shelves.add()
    assert start_intake(SETUP, entry).pk == IntakeJob.objects.get().pk


def test_a_runner_that_died_after_ordering_is_followed_by_one_that_finds_the_order(shelves: Shelves) -> None:
    shelves.publish()
    entry = shelves.add()
    turn(entry)
    ArchiveEntry.objects.update(copy_job=None)
    turn(entry)
    assert CopyJob.objects.count() == 1
    run_copies()
    turn(entry)
    assert entry.state == State.PRESENT


def test_a_cancelled_intake_takes_its_copy_along_and_the_entry_says_so(shelves: Shelves) -> None:
    shelves.publish()
    entry = shelves.add()
    turn(entry)
    assert request_cancel(IntakeJob.objects.get())
    assert intake_due() == 0
    entry.refresh_from_db()
    assert (entry.state, entry.reason_text) == (State.FAILED, "Cancelled on request.")
    assert CopyJob.objects.get().state == JobState.CANCELLED
    assert intake_due(timezone.now() + timedelta(days=1)) == 0


def test_what_may_work_later_is_tried_again_by_itself(shelves: Shelves) -> None:
    shelves.publish()
    entry = shelves.add()
    turn(entry)
    CopyJob.objects.update(state=JobState.FAILED, reason_code="unreachable", reason_text="archive does not answer.")
    turn(entry)
    assert intake_due() == 0
    assert intake_due(timezone.now() + timedelta(hours=2)) == 1
    bring_in(entry)
    assert entry.state == State.PRESENT


def test_an_entry_that_nobody_started_is_started(shelves: Shelves) -> None:
    shelves.entry().save()
    assert intake_due() == 1
    assert intake_due() == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"upstream_repository": "Alpine"}, "upstream_repository"),
        ({"upstream_tag": "no tag"}, "upstream_tag"),
        ({"repository": "../etc"}, "repository"),
        ({"tag": "-x"}, "tag"),
        ({"digest": "sha256:short"}, "digest"),
        ({"reason": ""}, "reason"),
    ],
)
def test_bad_names_are_refused_by_the_field(shelves: Shelves, changes: dict[str, str], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        shelves.add(**changes)
    assert field in caught.value.message_dict
    assert not ArchiveEntry.objects.exists()


@pytest.mark.parametrize("kind", [ZoneKind.SANDBOX, ZoneKind.CI_SNAPSHOTS, ZoneKind.PROD])
def test_only_an_upstream_or_its_cache_is_a_source(shelves: Shelves, kind: ZoneKind) -> None:
    with pytest.raises(ValidationError, match="archive entry starts at an upstream"):
        shelves.add(upstream=make_registry("other", kind))


def test_only_an_archive_is_a_target(shelves: Shelves) -> None:
    with pytest.raises(ValidationError, match="is no archive"):
        shelves.add(archive=make_registry("prod", ZoneKind.PROD))


def test_one_name_in_the_archive_is_one_entry(shelves: Shelves) -> None:
    shelves.publish()
    shelves.add()
    with pytest.raises(ValidationError, match="already exists"):
        shelves.add(upstream_tag="3.21")
