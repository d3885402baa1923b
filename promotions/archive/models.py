"""Chosen upstream images, pinned by digest, each with an owner and a reason."""

from django.core.exceptions import ValidationError
from django.db import models

from portal.jobs.models import Job, JobState
from portal.users.models import Team
from registries.copies.models import CopyJob
from registries.fields import DigestField, NameField
from registries.oci.reference import is_repository, is_tag
from registries.topology.models import Registry, ZoneKind

UPSTREAMS = (ZoneKind.UPSTREAM, ZoneKind.CACHE)


def repository_name(value: str) -> None:
    """The form of the distribution specification."""
    if not is_repository(value):
        raise ValidationError("Use lower-case letters and digits, parts joined by /, for example library/alpine.")


def tag_name(value: str) -> None:
    """The form of the distribution specification."""
    if not is_tag(value):
        raise ValidationError("Use letters, digits, dots, dashes and underscores, 128 at most, for example 3.20.")


class ArchiveEntry(models.Model):
    """One upstream image we keep. The tag is resolved once; from then on the digest counts."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting to be resolved"
        IMPORTING = "importing"
        PRESENT = "present", "present: read back from the archive"
        FAILED = "failed"

    upstream = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="archive_entries_out")
    upstream_repository = NameField(max_length=255, validators=[repository_name])
    upstream_tag = NameField(max_length=128, validators=[tag_name])
    digest = DigestField(
        blank=True, default="", help_text="Empty: the tag is resolved once, at the first import, and pinned."
    )
    archive = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="archive_entries_in")
    repository = NameField(max_length=255, validators=[repository_name], help_text="Its name in the archive.")
    tag = NameField(max_length=128, validators=[tag_name], help_text="Its tag in the archive.")
    owner = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="archive_entries")
    reason = models.CharField(max_length=500, help_text="Why we keep it: what needs it, until when.")
    review_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    reason_text = models.TextField(blank=True)
    copy_job = models.ForeignKey(
        CopyJob, null=True, blank=True, on_delete=models.SET_NULL, related_name="archive_entries"
    )
    pinned_at = models.DateTimeField(null=True, blank=True)
    imported_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "archive entry"
        verbose_name_plural = "archive entries"
        ordering = ["archive", "repository", "tag"]
        constraints = [models.UniqueConstraint(fields=["archive", "repository", "tag"], name="archive_entry_once")]

    def __str__(self) -> str:
        return f"{self.upstream_repository}:{self.upstream_tag}"

    def clean(self) -> None:
        """From an upstream or its cache, into an archive, and nowhere else."""
        found: dict[str, str] = {}
        if self.upstream_id and self.upstream.zone.kind not in UPSTREAMS:
            found["upstream"] = (
                f"{self.upstream} is of a zone of kind {self.upstream.zone.kind}; an archive entry starts at an upstream "
                "or at a cache of one. Our own images reach other registries by promotion."
            )
        if self.archive_id and (self.archive.zone.kind != ZoneKind.ARCHIVE or self.archive.primary_id):
            found["archive"] = f"{self.archive} is no archive of its own; choose the primary of an archive zone."
        if found:
            raise ValidationError(found)


class IntakeJob(Job):
    """Resolves an entry's tag, pins the digest, and has it copied."""

    entry = models.ForeignKey(ArchiveEntry, on_delete=models.CASCADE, related_name="jobs")

    class Meta:
        verbose_name = "intake job"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["entry"],
                condition=models.Q(state__in=[JobState.QUEUED, JobState.RUNNING]),
                name="one_open_intake_per_entry",
            )
        ]

    def __str__(self) -> str:
        return f"intake of {self.entry}"
