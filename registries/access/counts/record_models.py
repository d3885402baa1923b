"""What was asked of the token endpoint and what came of it, rolled up: tokens are counted, not audited one by one. Loaded by
:mod:`registries.access.models`."""

from django.db import models

from registries.fields import NameField
from registries.topology.models import Registry


class TokenCount(models.Model):
    """How many tokens were issued, per registry and hour; ``outcome`` is issued, narrowed or refused."""

    hour = models.DateTimeField()
    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="token_counts")
    outcome = models.CharField(max_length=10)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = "token count"
        ordering = ["-hour"]
        constraints = [models.UniqueConstraint(fields=["hour", "registry", "outcome"], name="token_count_once")]

    def __str__(self) -> str:
        return f"{self.registry}, {self.hour:%Y-%m-%d %H}h: {self.count} {self.outcome}"


class AccessUse(models.Model):
    """What one principal asked of one repository on one day, and what it got; the real requests that a draft of rules is held
    against. ``fingerprint`` is the hash of all that tells rows apart. A login without a scope has no repository."""

    fingerprint = models.CharField(max_length=32, unique=True)
    day = models.DateField(db_index=True)
    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="access_uses", db_index=False)
    principal = models.CharField(max_length=80)
    repository = NameField(max_length=255, blank=True)
    asked = models.CharField(max_length=40, blank=True, help_text="Actions, with commas between them.")
    granted = models.CharField(max_length=40, blank=True)
    address = models.CharField(max_length=45, blank=True, help_text="Of the client; empty for strangers.")
    is_keyless = models.BooleanField("keyless", default=False)
    count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        verbose_name = "use of access"
        verbose_name_plural = "uses of access"
        ordering = ["-last_at"]
        # Neither counts nor times are in an index: they change with every request.
        indexes = [models.Index(fields=["principal"], name="use_by_principal")]

    def __str__(self) -> str:
        return f"{self.principal} at {self.registry}/{self.repository}, {self.day}: {self.asked}"


class Denial(models.Model):
    """Something that was asked and not granted, with the reason; repeats are counted."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="denials")
    principal = models.CharField(max_length=80)
    scope = models.CharField(max_length=300)
    code = models.CharField(max_length=40)
    reason = models.CharField(max_length=500)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveBigIntegerField(default=1)

    class Meta:
        ordering = ["-last_at"]
        constraints = [models.UniqueConstraint(fields=["registry", "principal", "scope", "code"], name="denial_once")]

    def __str__(self) -> str:
        return f"{self.principal}: {self.scope}"
