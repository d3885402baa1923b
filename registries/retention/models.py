"""Policies, plans and their items. A plan is made from rows, looked at, and executed item by item with a fresh look at each."""

from django.conf import settings
from django.db import models

from portal.jobs.models import Job
from registries.fields import DigestField, NameField
from registries.topology.models import Registry, Zone


class RetentionPolicy(models.Model):
    """Which tags of a zone or registry may go. What no policy speaks of stays. Protection beats deletion."""

    name = models.CharField(max_length=80, unique=True)
    zone = models.ForeignKey(Zone, null=True, blank=True, on_delete=models.CASCADE, related_name="retention_policies")
    registry = models.ForeignKey(
        Registry, null=True, blank=True, on_delete=models.CASCADE, related_name="retention_policies"
    )
    repository_glob = NameField(max_length=255, default="**")
    tag_glob = NameField(max_length=128, default="*")
    older_than_seconds = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="A tag may go once it has not moved for so long."
    )
    keep_newest = models.PositiveIntegerField(
        default=0, help_text="Of each repository, the newest so many tags always stay."
    )
    protect_tag_glob = NameField(max_length=255, blank=True, help_text="Tags that always stay.")
    max_share_percent = models.PositiveSmallIntegerField(
        default=100, help_text="A plan that would remove more of a registry's tags is refused."
    )
    position = models.PositiveSmallIntegerField(default=0)
    is_enabled = models.BooleanField(default=True)
    is_automatic = models.BooleanField(
        default=False, help_text="Execute plans without a person; needs cleanup switched on at the registry."
    )
    next_plan_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "retention policy"
        verbose_name_plural = "retention policies"
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class Plan(models.Model):
    """One evaluation of the policies over one registry."""

    class State(models.TextChoices):
        PLANNING = "planning"
        READY = "ready", "ready to be looked at"
        REFUSED = "refused"
        EXECUTING = "executing"
        DONE = "done"
        STOPPED = "stopped"
        STALE = "stale", "stale: the registry has changed since"

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="plans")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNING)
    reason_text = models.TextField(blank=True)
    is_preview = models.BooleanField(
        default=False, help_text="Cleanup is switched off at the registry: to look at, not to execute."
    )
    policy_text = models.TextField(blank=True, help_text="The policies as they were.")
    listing_read_at = models.DateTimeField(null=True, blank=True)
    keep_count = models.PositiveIntegerField(default=0)
    delete_count = models.PositiveIntegerField(default=0)
    freed_bytes = models.PositiveBigIntegerField(
        default=0, help_text="Bytes no remaining manifest of the registry needs."
    )
    undo_until = models.DateTimeField(null=True, blank=True)
    undo_text = models.CharField(max_length=255, blank=True)
    is_automatic = models.BooleanField(
        default=False,
        help_text="Made by the clock: only automatic policies may let tags go, and no person executes it.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=255)
    executed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="executed_plans"
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "cleanup plan"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"cleanup plan {self.pk} of {self.registry}"


class PlanItem(models.Model):
    """One tag's fate, with the rule and the reason; and what came of it."""

    class Decision(models.TextChoices):
        KEEP = "keep"
        DELETE = "delete"

    class Outcome(models.TextChoices):
        WAITING = "waiting"
        DELETED = "deleted"
        KEPT = "kept"
        SKIPPED = "skipped", "skipped: something changed since the plan"
        FAILED = "failed"
        RESTORED = "restored", "put back"

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="items")
    repository = NameField(max_length=255)
    tag = NameField(max_length=128)
    digest = DigestField()
    decision = models.CharField(max_length=6, choices=Decision.choices)
    rule = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=500)
    freed_bytes = models.PositiveBigIntegerField(default=0)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.WAITING)
    outcome_text = models.CharField(max_length=500, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "plan item"
        ordering = ["plan", "decision", "repository", "tag"]
        constraints = [models.UniqueConstraint(fields=["plan", "repository", "tag"], name="plan_item_once")]

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


class CleanupJob(Job):
    """Makes or executes one plan, or puts one of its tags back."""

    class Step(models.TextChoices):
        PLAN = "plan"
        EXECUTE = "execute"
        RESTORE = "restore"

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="jobs")
    step = models.CharField(max_length=8, choices=Step.choices)
    item = models.ForeignKey(
        PlanItem, null=True, blank=True, on_delete=models.CASCADE, related_name="jobs", help_text="The tag to put back."
    )

    class Meta:
        verbose_name = "cleanup job"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.step} of {self.plan}"
