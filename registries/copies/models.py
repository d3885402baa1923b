"""One copy of one artifact, digest preserved, and its steps."""

from django.db import models

from portal.jobs.models import Job
from registries.fields import DigestField, NameField
from registries.topology.models import Registry


class CopyJob(Job):
    """``tags`` are put last, each compared with ``expected_digests`` (tag -> digest, "" for must not exist; absent: not compared) right before.

    ``principal`` is the system principal whose tokens it uses. Done means: the target answered every digest when read back."""

    stands_alone = False

    class Purpose(models.TextChoices):
        PROMOTION = "promotion"
        ROLLBACK = "rollback"
        REPLICATION = "replication"
        ARCHIVE = "archive"
        RESTORE = "restore"

    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    principal = models.CharField(max_length=20)
    source = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="copies_out")
    source_repository = NameField(max_length=255)
    digest = DigestField()
    target = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="copies_in")
    target_repository = NameField(max_length=255)
    tags = models.JSONField(default=list)
    expected_digests = models.JSONField(default=dict)
    with_referrers = models.BooleanField(default=True)
    manifests_copied = models.PositiveIntegerField(default=0)
    blobs_copied = models.PositiveIntegerField(default=0)
    blobs_mounted = models.PositiveIntegerField(default=0)
    blobs_present = models.PositiveIntegerField(default=0)
    bytes_copied = models.PositiveBigIntegerField(default=0)
    verified_digests = models.PositiveIntegerField(default=0)
    verified_at = models.DateTimeField(null=True, blank=True)
    tagged_at = models.DateTimeField(null=True, blank=True, help_text="Point of no return: the first tag was put.")

    class Meta:
        verbose_name = "copy job"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.source}/{self.source_repository} to {self.target}/{self.target_repository}"


class CopyStep(models.Model):
    """What a copy did, in order; written as it happens."""

    job = models.ForeignKey(CopyJob, on_delete=models.CASCADE, related_name="steps")
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField(auto_now_add=True)
    text = models.CharField(max_length=500)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text
