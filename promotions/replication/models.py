"""Standing rules about copies, and each artifact's delivery to each target."""

from django.core.exceptions import ValidationError
from django.db import models

from registries.copies.models import CopyJob
from registries.fields import DigestField, NameField
from registries.topology.models import Registry, ZoneKind

_NO_TARGETS = {
    ZoneKind.CACHE: "a cache fills itself from what it fronts",
    ZoneKind.UPSTREAM: "an upstream is not ours to write to",
    ZoneKind.ARCHIVE: "an archive takes images by archive entries alone",
    ZoneKind.SANDBOX: "a sandbox is wiped at will",
}


class ReplicationRule(models.Model):
    """What of a source follows to a target. Nothing leaves a sandbox: such a rule is refused."""

    name = models.CharField(max_length=80, unique=True)
    source = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="replication_rules_out")
    target = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="replication_rules_in")
    repository_glob = NameField(max_length=255, default="**")
    tag_glob = NameField(max_length=128, default="*")
    is_enabled = models.BooleanField(default=True)

    class Meta:
        verbose_name = "replication rule"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """What may follow where; says so in the form, in the operation and in a topology file alike."""
        if self.source_id and self.target_id and (findings := rule_findings(self.source, self.target)):
            raise ValidationError(findings)


def rule_findings(source: Registry, target: Registry) -> dict[str, str]:
    """Field -> why nothing may be replicated so; empty when it may."""
    found: dict[str, str] = {}
    if source.zone.kind == ZoneKind.SANDBOX:
        found["source"] = f"{source} is a sandbox, and nothing leaves a sandbox. Build the image again in CI."
    elif source.zone.kind == ZoneKind.CACHE:
        found["source"] = f"{source} is a cache; replicate from what it fronts."
    if source.pk == target.pk:
        found["target"] = "A registry does not follow itself."
    elif target.zone.kind in _NO_TARGETS:
        found["target"] = f"{target} is no target: {_NO_TARGETS[ZoneKind(target.zone.kind)]}."
    elif target.zone.kind == ZoneKind.PROD and target.primary_id != source.pk:
        found["target"] = f"{target} may follow its primary alone. Anything else reaches {target.zone} by a promotion."
    return found


class RepositoryReading(models.Model):
    """Up to which revision of a source repository a rule has reconciled; where the two differ there is work."""

    rule = models.ForeignKey(ReplicationRule, on_delete=models.CASCADE, related_name="readings")
    repository = models.ForeignKey("catalog.Repository", on_delete=models.CASCADE, related_name="replication_readings")
    revision = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "repository"], name="reading_once")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.repository} at {self.revision}"


class Delivery(models.Model):
    """One tag of one repository at one target: the digest it should have, and whether the target was read back with it."""

    class State(models.TextChoices):
        PENDING = "pending"
        COPYING = "copying"
        PRESENT = "present", "present: read back"
        FAILED = "failed"

    rule = models.ForeignKey(ReplicationRule, on_delete=models.CASCADE, related_name="deliveries")
    repository = NameField(max_length=255)
    tag = NameField(max_length=128)
    digest = DigestField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    reason_text = models.TextField(blank=True)
    copy_job = models.ForeignKey(CopyJob, null=True, blank=True, on_delete=models.SET_NULL, related_name="deliveries")
    wanted_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["rule", "repository", "tag"], name="delivery_once")]
        indexes = [
            models.Index(fields=["digest"], name="delivery_digest"),
            models.Index(fields=["state"], name="delivery_state"),
        ]

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag} to {self.rule.target}"
