"""A registry that is being brought in: its old logins, what its log said, what was decided. Loaded by :mod:`registries.access.models`."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import models

from portal.vault import EncryptedTextField
from registries.fields import NameField
from registries.topology.models import Reach, Registry

DEFAULT_LIFE: Final = timedelta(days=90)


class ImportedLogin(models.Model):
    """A user name and password that one registry knew from its htpasswd file. It goes on working there, and there alone, as a robot
    account, until it ends. The password is known as the file's bcrypt hash, which is encrypted at rest and never shown."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="imported_logins")
    username = NameField("user name", max_length=255, help_text="Exactly as in the file; case counts.")
    robot = models.ForeignKey(
        "access.RobotAccount", on_delete=models.CASCADE, related_name="imported_logins", help_text="Whom it acts as."
    )
    password_hash = EncryptedTextField()
    cost = models.PositiveSmallIntegerField(editable=False, help_text="Of the hash: each step doubles the work.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    warned_days = models.PositiveSmallIntegerField(
        null=True, blank=True, editable=False, help_text="Days before its end for which somebody was warned last."
    )

    class Meta:
        verbose_name = "imported login"
        ordering = ["registry", "username"]
        constraints = [models.UniqueConstraint(fields=["registry", "username"], name="imported_login_once")]

    def __str__(self) -> str:
        return f"{self.username} at {self.registry}"

    def is_live(self, now: datetime) -> bool:
        """Neither disabled nor at its end."""
        return self.disabled_at is None and self.expires_at > now


class Adoption(models.Model):
    """One registry on its way under the portal. The log itself is not kept, only what was seen in it, rolled up."""

    registry = models.OneToOneField(Registry, on_delete=models.CASCADE, related_name="adoption")
    started_at = models.DateTimeField(auto_now_add=True)
    log_read_at = models.DateTimeField(null=True, blank=True, editable=False)
    log_facts = models.JSONField("about the log", default=dict, blank=True, editable=False)
    probed_at = models.DateTimeField(null=True, blank=True, editable=False)
    probe_is_good = models.BooleanField("trusts our tokens", default=False, editable=False)
    probe_text = models.CharField("what the probe found", max_length=500, blank=True, editable=False)
    reach_before = models.CharField(max_length=10, choices=Reach.choices, blank=True, editable=False)
    cut_over_at = models.DateTimeField(null=True, blank=True, editable=False)
    went_back_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "registry brought in"
        verbose_name_plural = "registries brought in"
        ordering = ["registry"]

    def __str__(self) -> str:
        return str(self.registry)

    @property
    def is_cut_over(self) -> bool:
        """Whether clients are sent to us now, as far as this page was told."""
        return self.cut_over_at is not None and (self.went_back_at is None or self.went_back_at < self.cut_over_at)


class SeenRequest(models.Model):
    """What the log says somebody did, rolled up. ``username`` is empty for strangers and where the log names nobody; ``is_named``
    tells the two apart. A listing of all names has no repository, and neither has a mere login."""

    class Action(models.TextChoices):
        PULL = "pull"
        PUSH = "push"
        DELETE = "delete"
        CATALOG = "catalog", "list all names"
        LOGIN = "login"

    adoption = models.ForeignKey(Adoption, on_delete=models.CASCADE, related_name="seen_requests")
    username = NameField("user name", max_length=255, blank=True)
    is_named = models.BooleanField("named by the log", default=True)
    address = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=8, choices=Action.choices)
    repository = NameField(max_length=255, blank=True)
    is_mount = models.BooleanField("to mount from there", default=False)
    count = models.PositiveBigIntegerField(default=0)
    first_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "request seen in a log"
        verbose_name_plural = "requests seen in logs"
        ordering = ["-count"]

    def __str__(self) -> str:
        who = self.username or ("anonymous" if self.is_named else "somebody")
        return f"{who}: {self.action} {self.repository}".strip()


class NameDecision(models.Model):
    """What somebody decided of a user name that the log knows: which person it is, or that it is to be refused."""

    adoption = models.ForeignKey(Adoption, on_delete=models.CASCADE, related_name="name_decisions")
    username = NameField("user name", max_length=255)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+",
        help_text="Whose name it is: they log in with a personal token from then on. Nobody: it is refused on purpose.",
    )  # fmt: skip
    decided_by = models.CharField(max_length=120, blank=True)
    decided_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "decision about a name"
        verbose_name_plural = "decisions about names"
        ordering = ["username"]
        constraints = [models.UniqueConstraint(fields=["adoption", "username"], name="name_decided_once")]

    def __str__(self) -> str:
        return f"{self.username}: {self.person or 'refused on purpose'}"
