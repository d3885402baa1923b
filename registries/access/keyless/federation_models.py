"""Keyless CI: whose identity tokens we believe, what they may become, what was made of them. Loaded by :mod:`registries.access.models`."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from portal.issuer_address import address_fault
from registries.access.keyless.claims import Conditions, condition_faults
from registries.fields import NameField

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "ES256", "ES384")
LIFE: Final = timedelta(minutes=15)


def default_algorithms() -> list[str]:
    """What GitHub and GitLab sign with."""
    return ["RS256"]


class Issuer(models.Model):
    """Somebody who vouches for CI jobs. Only what stands here is ever asked for keys."""

    class Kind(models.TextChoices):
        GITHUB = "github", "GitHub Actions"
        GITLAB = "gitlab", "GitLab CI"
        GENERIC = "generic", "other (OpenID Connect)"

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.GENERIC)
    url = NameField(
        "issuer", max_length=255, unique=True, help_text="Exactly as the tokens have it in iss, to the last slash."
    )
    jwks_url = models.CharField(
        "address of the keys", max_length=255, blank=True, help_text="Empty: the issuer's discovery document names it."
    )
    algorithms = models.JSONField(
        default=default_algorithms, help_text=f"What its tokens may be signed with: of {', '.join(ALGORITHMS)}."
    )
    is_enabled = models.BooleanField(default=True)
    jwks = models.JSONField("keys", default=dict, blank=True, editable=False)
    jwks_fetched_at = models.DateTimeField("keys read at", null=True, blank=True, editable=False)
    jwks_tried_at = models.DateTimeField("keys last asked for at", null=True, blank=True, editable=False)
    jwks_error = models.CharField("last trouble with its keys", max_length=255, blank=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Addresses we may ask, algorithms that can be believed."""
        faults = {"url": address_fault(self.url), "jwks_url": self.jwks_url and address_fault(self.jwks_url)}
        known = (
            isinstance(self.algorithms, list) and self.algorithms and set(map(str, self.algorithms)) <= set(ALGORITHMS)
        )
        if not known:
            faults["algorithms"] = f"A list of one or more of {', '.join(ALGORITHMS)}."
        found = {name: text for name, text in faults.items() if text}
        if found:
            raise ValidationError(found)


class FederationRule(models.Model):
    """Jobs whose token says all of this act as that robot for a quarter of an hour."""

    name = models.CharField(max_length=80, unique=True)
    issuer = models.ForeignKey(Issuer, on_delete=models.CASCADE, related_name="rules")
    robot = models.ForeignKey(
        "access.RobotAccount", on_delete=models.CASCADE, related_name="federation_rules", help_text="Of kind CI."
    )
    conditions = models.JSONField(
        help_text='Claims and their allowed values, all of which must hold: {"repository_id": ["1234"], "ref": '
        '["refs/heads/main"]}. A * stands for any text without a colon or slash.'
    )
    person_claim = models.CharField(
        max_length=80,
        blank=True,
        help_text="The claim with the user name or verified mail address of who started the job: user_email, actor.",
    )
    pattern = NameField(max_length=255, default="**", help_text="Repositories; narrower than the robot's, never wider.")
    may_pull = models.BooleanField(default=True)
    may_push = models.BooleanField(default=True)
    is_enabled = models.BooleanField(default=True)

    class Meta:
        verbose_name = "federation rule"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions its credentials are good for, where the robot may do them."""
        return tuple(name for name, is_on in (("pull", self.may_pull), ("push", self.may_push)) if is_on)

    @property
    def wanted(self) -> Conditions:
        """The conditions as a value."""
        return Conditions(self.issuer.kind, {name: tuple(values) for name, values in self.conditions.items()})

    def clean(self) -> None:
        """A robot of kind CI, and conditions that hold to something nobody else can have."""
        faults = {}
        if self.robot_id and self.robot.kind != "ci":
            faults["robot"] = f"{self.robot} is of kind {self.robot.kind}; only robots of kind CI act for CI jobs."
        kind = self.issuer.kind if self.issuer_id else ""
        if found := condition_faults(kind, self.conditions):
            faults["conditions"] = " ".join(found)
        if not self.actions:
            faults["may_pull"] = "Choose at least one action."
        if faults:
            raise ValidationError(faults)


class UsedToken(models.Model):
    """An identity token that was exchanged: never again. Kept until it would have expired anyway."""

    issuer = models.ForeignKey(Issuer, on_delete=models.CASCADE, related_name="used_tokens")
    jti_hash = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "used identity token"
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["issuer", "jti_hash"], name="used_token_once")]

    def __str__(self) -> str:
        return f"{self.issuer}: {self.jti_hash[:12]}"


class Exchange(models.Model):
    """What a token became: a secret of the rule's robot, and the person behind the job as the issuer vouches for them."""

    secret = models.OneToOneField("access.Secret", on_delete=models.CASCADE, related_name="exchange")
    rule = models.ForeignKey(FederationRule, on_delete=models.CASCADE, related_name="exchanges")
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    person = models.CharField(max_length=255, blank=True, help_text="What the person's claim said.")
    claims = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.rule}, {self.created_at:%Y-%m-%d %H:%M}"


class AttemptCount(models.Model):
    """How often something was tried within a minute: exchanges by an address or a rule, wrong secrets by an account or a network."""

    key = models.CharField(max_length=80)
    minute = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "attempt count"
        ordering = ["-minute"]
        constraints = [models.UniqueConstraint(fields=["key", "minute"], name="attempt_count_once")]

    def __str__(self) -> str:
        return f"{self.key}, {self.minute:%H:%M}: {self.count}"
