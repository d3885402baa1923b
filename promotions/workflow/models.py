"""Paths, gates, requests and what became of them. A request is immutable in everything that people decide about."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from portal.audit.models import AppendOnly
from portal.jobs.models import Job
from promotions.gates import GATES
from promotions.gates.base import ParameterError
from promotions.gates.evaluation import check_parameters
from promotions.workflow.paths import path_findings
from registries.access.models import RobotAccount
from registries.copies.models import CopyJob
from registries.fields import DigestField, NameField
from registries.topology.models import Registry


class PromotionPath(models.Model):
    """An allowed move. Never out of a sandbox."""

    class TagPolicy(models.TextChoices):
        IMMUTABLE = "immutable", "immutable: a tag never moves"
        MOVABLE = "movable", "movable: a tag may move, the old digest is kept on record"

    name = models.SlugField(max_length=64, unique=True)
    source = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="paths_out")
    target = models.ForeignKey(Registry, on_delete=models.PROTECT, related_name="paths_in")
    repository_glob = NameField(max_length=255, default="**")
    tag_policy = models.CharField(max_length=10, choices=TagPolicy.choices, default=TagPolicy.IMMUTABLE)
    request_ttl_seconds = models.PositiveIntegerField(
        default=7 * 24 * 3600, help_text="An undecided request expires after so long."
    )
    is_enabled = models.BooleanField(default=True)

    class Meta:
        verbose_name = "promotion path"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Which moves may be at all; also asked at every use."""
        if self.source_id and self.target_id and (findings := path_findings(self.source, self.target)):
            raise ValidationError(findings)


def gate_choices() -> list[tuple[str, str]]:
    """Gates of this version, for forms."""
    return [(name, gate.title) for name, gate in GATES.items()]


class GateConfig(models.Model):
    """One check of a path. ``parameters`` are the gate's own."""

    class Enforcement(models.TextChoices):
        BLOCK = "block"
        WARN = "warn"
        OFF = "off"

    path = models.ForeignKey(PromotionPath, on_delete=models.CASCADE, related_name="gates")
    gate = models.CharField(max_length=40, choices=gate_choices)
    parameters = models.JSONField(default=dict, blank=True)
    enforcement = models.CharField(max_length=5, choices=Enforcement.choices, default=Enforcement.BLOCK)
    position = models.PositiveSmallIntegerField(default=0)
    remediation = models.CharField(max_length=500, blank=True, help_text="Shown when it fails: what to do.")

    class Meta:
        verbose_name = "gate"
        ordering = ["path", "position", "gate"]
        constraints = [models.UniqueConstraint(fields=["path", "gate"], name="gate_once_per_path")]

    def __str__(self) -> str:
        return f"{self.path}: {self.gate}"

    def clean(self) -> None:
        """The gate has to know its parameters."""
        try:
            check_parameters(self.gate, self.parameters)
        except ParameterError as error:
            raise ValidationError({"parameters": str(error)}) from error


class PolicySnapshot(models.Model):
    """Gates and approval rules as they were when a request was made; canonical JSON, found by its hash."""

    hash = models.CharField(max_length=64, unique=True)
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.hash[:12]


class RequestState(models.TextChoices):
    EVALUATING = "evaluating"
    BLOCKED = "blocked"
    AWAITING_APPROVAL = "awaiting_approval", "awaiting approval"
    READY = "ready"
    EXECUTING = "executing"
    PROMOTED = "promoted", "promoted: prod has it, regions follow"
    COMPLETED = "completed", "completed: every region has it"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"


class ImmutableFieldError(Exception):
    """Somebody tried to change what a request was decided about."""


class PromotionRequest(models.Model):
    """One ask. Its state changes only through ``transition.transition``."""

    IMMUTABLE: ClassVar[tuple[str, ...]] = (
        "public_id", "path_id", "requester_kind", "requester_key", "requester_name", "robot_id", "on_behalf_of_id",
        "on_behalf_source", "ci", "policy_id", "created_at",
    )  # fmt: skip

    is_replay = False
    """Set by create_request on a request that had been asked for before, in just the same way."""

    public_id = models.CharField(max_length=40, unique=True)
    path = models.ForeignKey(PromotionPath, on_delete=models.PROTECT, related_name="requests")
    state = models.CharField(max_length=20, choices=RequestState.choices, default=RequestState.EVALUATING)
    reason_code = models.CharField(max_length=40, blank=True)
    reason_text = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    round = models.PositiveIntegerField(default=1, help_text="Approvals of earlier rounds no longer count.")
    requester_kind = models.CharField(max_length=10)
    requester_key = models.CharField(max_length=120)
    requester_name = models.CharField(max_length=255)
    robot = models.ForeignKey(
        RobotAccount, null=True, blank=True, on_delete=models.PROTECT, related_name="promotion_requests"
    )
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="promotion_requests",
        help_text="The verified person behind it.",
    )
    on_behalf_source = models.CharField(max_length=20, help_text="How the person was verified: session, token, mail.")
    ci = models.JSONField(default=dict, blank=True)
    changelog = models.TextField(blank=True)
    policy = models.ForeignKey(PolicySnapshot, on_delete=models.PROTECT, related_name="requests")
    evidence_digest = models.CharField(
        max_length=80, blank=True, help_text="Hash over items and gate results: what approvers look at."
    )
    is_degraded = models.BooleanField(default=False)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    promoted_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "promotion request"
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "-id"], name="request_by_state")]

    def __str__(self) -> str:
        return self.public_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        fields = kwargs.get("update_fields")
        fixed = {*self.IMMUTABLE, *(name.removesuffix("_id") for name in self.IMMUTABLE)}
        if self.pk and not self._state.adding and (fields is None or fixed & set(fields)):
            raise ImmutableFieldError(
                f"Promotion request {self.public_id} is immutable; name the changeable fields in update_fields."
            )
        super().save(*args, **kwargs)

    @property
    def item(self) -> "PromotionItem":
        """The artifact; without a query where the request was read with its items."""
        return next(iter(self.items.all()))

    @property
    def state_word(self) -> str:
        """The state in the middle of a sentence."""
        return str(self.state).replace("_", " ")


class PromotionItem(models.Model):
    """One artifact of a request, fixed by digest."""

    request = models.ForeignKey(PromotionRequest, on_delete=models.CASCADE, related_name="items")
    source_repository = NameField(max_length=255)
    digest = DigestField(db_index=True)
    media_type = models.CharField(max_length=255)
    size_bytes = models.PositiveBigIntegerField(default=0)
    source_tag = NameField(max_length=128, blank=True, help_text="The tag the requester claimed; checked once.")
    target_repository = NameField(max_length=255)
    target_tags = models.JSONField()
    expected_digests = models.JSONField(
        default=dict, help_text="What each target tag had when asked; empty text: it did not exist."
    )
    difference = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = "promotion item"

    def __str__(self) -> str:
        return f"{self.source_repository}@{self.digest}"


class GateResult(AppendOnly):
    """One gate's verdict on one item in one evaluation."""

    class Status(models.TextChoices):
        PASS = "pass", "pass"
        FAIL = "fail", "fail"
        WARN = "warn", "warn"
        PENDING = "pending", "pending"
        ERROR = "error", "error"

    request = models.ForeignKey(PromotionRequest, on_delete=models.CASCADE, related_name="gate_results")
    item = models.ForeignKey(PromotionItem, on_delete=models.CASCADE, related_name="gate_results")
    evaluation = models.PositiveIntegerField()
    phase = models.CharField(max_length=12)
    gate = models.CharField(max_length=40)
    enforcement = models.CharField(max_length=5)
    status = models.CharField(max_length=8, choices=Status.choices)
    summary = models.CharField(max_length=500)
    details = models.JSONField(default=dict, blank=True)
    evidence = models.JSONField(default=list, blank=True)
    remediation = models.CharField(max_length=500, blank=True)
    evaluated_at = models.DateTimeField()

    class Meta:
        verbose_name = "gate result"
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.gate}: {self.status}"


class TagLock(models.Model):
    """One open request per target tag."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="tag_locks")
    repository = NameField(max_length=255)
    tag = NameField(max_length=128)
    request = models.ForeignKey(PromotionRequest, on_delete=models.CASCADE, related_name="tag_locks")

    class Meta:
        verbose_name = "tag lock"
        constraints = [models.UniqueConstraint(fields=["registry", "repository", "tag"], name="tag_locked_once")]

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag}"


class Execution(Job):
    """One try to carry out an approved request."""

    request = models.ForeignKey(PromotionRequest, on_delete=models.CASCADE, related_name="executions")
    copy_job = models.ForeignKey(CopyJob, null=True, blank=True, on_delete=models.SET_NULL, related_name="executions")

    stands_alone = False

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["request"],
                condition=models.Q(state__in=["queued", "running"]),
                name="one_open_execution_per_request",
            )
        ]

    def __str__(self) -> str:
        return f"execution of {self.request}"
