"""Rules about who must agree, and what was decided. Both name their subject by label and key, so every app can use them."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models

from portal.audit.models import AppendOnly
from portal.users.models import Role, Team


class ApprovalRule(models.Model):
    """So many of these people must agree. The rule belongs to a policy (a promotion path, a retention policy) by label and key."""

    policy_label = models.CharField(max_length=80)
    policy_key = models.CharField(max_length=120)
    name = models.CharField(max_length=120)
    required = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
    role = models.CharField(max_length=20, choices=Role.choices, blank=True)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="approval_rules")
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="approval_rules")
    repository_globs = models.JSONField(default=list, blank=True, help_text="Empty: every repository.")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["policy_label", "policy_key", "name"]
        constraints = [
            models.UniqueConstraint(fields=["policy_label", "policy_key", "name"], name="approval_rule_name")
        ]

    def __str__(self) -> str:
        return self.name


class Decision(AppendOnly):
    """Somebody approved, rejected, or took back an approval. A new round begins when what they saw has changed."""

    class Verdict(models.TextChoices):
        APPROVE = "approve"
        REJECT = "reject"
        WITHDRAW = "withdraw"

    subject_label = models.CharField(max_length=80)
    subject_key = models.CharField(max_length=120)
    round = models.PositiveIntegerField(default=1)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    comment = models.TextField(blank=True)
    subject_version = models.PositiveIntegerField()
    evidence_digest = models.CharField(max_length=80, blank=True)
    rule_names = models.JSONField(default=list)
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["subject_label", "subject_key", "round"], name="decision_by_subject")]

    def __str__(self) -> str:
        return f"{self.user}: {self.verdict}"


class Delegation(models.Model):
    """Somebody decides in another's name for a while."""

    principal = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="delegations_given")
    delegate = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="delegations_held")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=255)

    def __str__(self) -> str:
        return f"{self.delegate} for {self.principal}"
