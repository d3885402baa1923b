"""Chosen upstream images, pinned by digest, each with an owner and a reason."""

from django.db import models

from portal.jobs.models import Job
from portal.users.models import Team
from registries.copies.models import CopyJob
from registries.fields import DigestField, NameField
from registries.topology.models import Registry


class ArchiveEntry(models.Model):
    """One upstream image we keep. The tag is resolved once; from then on the digest counts."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting to be resolved"
        IMPORTING = "importing"
        PRESENT = "present", "present: read back from the archive"
        FAILED = "failed"

    upstream = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="archive_entries_out")
    upstream_repository = NameField(max_length=255)
    upstream_tag = NameField(max_length=128)
    digest = DigestField(
        blank=True, default="", help_text="Empty: the tag is resolved once, at the first import, and pinned."
    )
    archive = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="archive_entries_in")
    repository = NameField(max_length=255, help_text="Its name in the archive.")
    tag = NameField(max_length=128, help_text="Its tag in the archive.")
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


class IntakeJob(Job):
    """Resolves an entry's tag, pins the digest, and has it copied."""

    entry = models.ForeignKey(ArchiveEntry, on_delete=models.CASCADE, related_name="jobs")

    class Meta:
        verbose_name = "intake job"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"intake of {self.entry}"
