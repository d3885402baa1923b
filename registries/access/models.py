"""Names, principals, credentials, rules and keys. Rules speak of names and patterns, so login never depends on sync."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from portal.actor import Actor
from portal.users.models import NAME, Team
from portal.vault import EncryptedTextField
from registries.access.adopt import models as adopt_models  # noqa: F401  Django finds models from here
from registries.access.asking import request_models  # noqa: F401
from registries.access.counts import record_models  # noqa: F401
from registries.access.drafting import trial_models  # noqa: F401
from registries.access.keyless import federation_models  # noqa: F401
from registries.access.naming_rules import naming_models  # noqa: F401
from registries.access.networks import NETWORKS_HELP, validate_networks
from registries.fields import NameField
from registries.oci.reference import is_repository
from registries.topology.models import Registry, Zone


class Action(models.TextChoices):
    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"


class Namespace(models.Model):
    """A prefix of repository names in a zone, owned by a team. ``payments`` owns ``payments`` and ``payments/...``, never ``payments-b``."""

    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, related_name="namespaces")
    prefix = NameField(max_length=255)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="namespaces")

    class Meta:
        ordering = ["zone", "prefix"]
        constraints = [models.UniqueConstraint(fields=["zone", "prefix"], name="namespace_once")]

    def __str__(self) -> str:
        return f"{self.zone}: {self.prefix}"

    def clean(self) -> None:
        """A prefix is a whole name or its first parts; anything else would own nothing."""
        if not is_repository(self.prefix):
            text = "Write the first parts of names, such as payments or payments/api: no slash at the end, no wildcard."
            raise ValidationError({"prefix": text})


class RobotAccount(models.Model):
    """A non-human principal owned by a team. Its name at a registry is ``robot.<name>``."""

    class Kind(models.TextChoices):
        CI = "ci", "CI: pushes to CI zones and asks for promotions"
        CONSUMER = "consumer", "consumer: pulls what it was granted"

    name = models.CharField(max_length=57, unique=True, validators=[NAME])
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CONSUMER)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="robots")
    description = models.CharField(max_length=255, blank=True)
    is_active = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    warned_days = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "robot account"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.login

    @property
    def login(self) -> str:
        """The user name for ``docker login``."""
        return f"robot.{self.name}"

    @property
    def actor(self) -> Actor:
        return Actor("robot", str(self.pk), self.login)


class StoredSecret(models.Model):
    """A secret we handed out: 256 random bits shown once, kept as SHA-256. ``handle`` is its public part, by which it is found.

    Pattern, actions, registries and networks narrow what it is good for; empty means all that its owner may."""

    name = models.CharField(max_length=80, blank=True)
    handle = models.CharField(max_length=24, unique=True)
    secret_hash = models.CharField(max_length=64)
    pattern = NameField(
        max_length=255, blank=True, default="", help_text="Repositories; empty means all of the owner's."
    )
    actions = models.CharField(
        max_length=40, blank=True, default="", help_text="Such as pull,push; empty means all of the owner's."
    )
    registries = models.CharField(
        max_length=500, blank=True, default="", help_text="Names with commas between them; empty means all."
    )
    networks = models.CharField(
        max_length=500, blank=True, default="", validators=[validate_networks], help_text=NETWORKS_HELP
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    warned_days = models.PositiveSmallIntegerField(
        null=True, blank=True, editable=False, help_text="Days before its end for which somebody was warned last."
    )
    replaces = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="successors"
    )

    class Meta:
        abstract = True

    def is_live(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class PersonalToken(StoredSecret):
    """A person's secret for registries and API; the password itself is not taken there."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="personal_tokens")

    class Meta:
        verbose_name = "personal token"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.user}: {self.name or self.handle}"


class Secret(StoredSecret):
    """A robot's secret; several may live at once, so that rotation overlaps. ``shown_to`` is the person who saw it."""

    robot = models.ForeignKey(RobotAccount, on_delete=models.CASCADE, related_name="secrets")
    shown_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="secrets_shown"
    )
    is_keyless = models.BooleanField(
        "keyless", default=False, editable=False, help_text="Made for the identity token of a CI job."
    )

    class Meta:
        verbose_name = "robot secret"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.robot}: {self.name or self.handle}"


class AccessRule(models.Model):
    """Allow or deny. Empty zone or registry means any, no principal means everyone signed in; in the pattern ``*`` stops at ``/``
    and ``**`` does not. Deny wins."""

    class Effect(models.TextChoices):
        ALLOW = "allow"
        DENY = "deny"

    effect = models.CharField(max_length=5, choices=Effect.choices, default=Effect.ALLOW)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="access_rules")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="access_rules"
    )
    robot = models.ForeignKey(
        RobotAccount, null=True, blank=True, on_delete=models.CASCADE, related_name="access_rules"
    )
    zone = models.ForeignKey(Zone, null=True, blank=True, on_delete=models.CASCADE, related_name="access_rules")
    registry = models.ForeignKey(Registry, null=True, blank=True, on_delete=models.CASCADE, related_name="access_rules")
    is_public = models.BooleanField(
        "also strangers", default=False, help_text="Also for those who are not signed in; they can only ever pull."
    )
    pattern = NameField(max_length=255, default="**")
    may_pull = models.BooleanField(default=True)
    may_push = models.BooleanField(default=False)
    may_delete = models.BooleanField(default=False)
    networks = models.CharField(
        max_length=500, blank=True, default="", validators=[validate_networks], help_text=NETWORKS_HELP
    )
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=255, blank=True)
    is_draft = models.BooleanField(
        "draft", default=False, help_text="Not in force yet: it can be held against what was really asked."
    )
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="drafts",
        help_text="The rule that ends when this draft is put in force.",
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True, null=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    reviewed_at = models.DateTimeField(null=True, blank=True, editable=False)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = "access rule"
        indexes = [
            models.Index(fields=["team"], name="rule_team"),
            models.Index(fields=["user"], name="rule_user"),
            models.Index(fields=["robot"], name="rule_robot"),
        ]

    def __str__(self) -> str:
        who = self.team or self.user or self.robot or "everyone"
        return rule_text(
            self.effect,
            str(who),
            self.actions,
            str(self.registry or self.zone or "anywhere"),
            self.pattern,
            self.networks,
        )

    def clean(self) -> None:
        """One principal at most, and something to speak of."""
        if sum(value is not None for value in (self.team_id, self.user_id, self.robot_id)) > 1:
            raise ValidationError("Name a team, a person or a robot account, not several; make one rule for each.")
        if self.is_public and (self.team_id or self.user_id or self.robot_id):
            raise ValidationError({"is_public": "A rule for strangers too names no team, person or robot account."})
        if not self.actions:
            raise ValidationError("Choose at least one action.")
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": "It would end before it starts."})
        if self.replaces_id and not self.is_draft:
            raise ValidationError({"replaces": "Only a draft says which rule it replaces."})

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions it speaks of."""
        return chosen_actions(self.may_pull, self.may_push, self.may_delete)


def chosen_actions(may_pull: bool, may_push: bool, may_delete: bool) -> tuple[str, ...]:
    """By their names, in the order in which they are always written."""
    chosen = (("pull", may_pull), ("push", may_push), ("delete", may_delete))
    return tuple(action for action, is_on in chosen if is_on)


def rule_text(effect: str, who: str, actions: Sequence[str], where: str, pattern: str, networks: str = "") -> str:
    """A rule in one line."""
    source = f" from {networks}" if networks else ""
    return f"{effect} {who} {'/'.join(actions) or 'nothing'} on {where}: {pattern}{source}"


class Restriction(models.Model):
    """A dated row that forbids actions: a quota, a freeze, read-only. Upper floors write it, the token policy reads it."""

    zone = models.ForeignKey(Zone, null=True, blank=True, on_delete=models.CASCADE, related_name="restrictions")
    registry = models.ForeignKey(Registry, null=True, blank=True, on_delete=models.CASCADE, related_name="restrictions")
    pattern = NameField(max_length=255, default="**")
    forbids_pull = models.BooleanField(default=False)
    forbids_push = models.BooleanField(default=True)
    forbids_delete = models.BooleanField(default=False)
    code = models.CharField(max_length=40)
    reason = models.CharField(max_length=255)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    source_label = models.CharField(max_length=80, blank=True)
    source_key = models.CharField(max_length=120, blank=True)

    def __str__(self) -> str:
        return f"{self.code} on {self.registry or self.zone or 'everything'}: {self.reason}"

    def clean(self) -> None:
        """Something is forbidden, somewhere, for a time that is one."""
        faults: dict[str, str] = {}
        if not self.actions:
            faults["forbids_push"] = "Forbid at least one action."
        started: datetime | None = self.starts_at  # a form may have left it empty
        if started and self.ends_at and self.ends_at <= started:
            faults["ends_at"] = "It would end before it starts."
        if self.registry is not None and self.zone_id not in (None, self.registry.zone_id):
            faults["zone"] = f"{self.registry} stands in {self.registry.zone}; name the registry alone, or that zone."
        if not self.pattern.strip():
            faults["pattern"] = "Name the repositories; ** means all of them."
        if faults:
            raise ValidationError(faults)

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions it forbids."""
        return chosen_actions(self.forbids_pull, self.forbids_push, self.forbids_delete)

    def is_in_force(self, now: datetime) -> bool:
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


class SigningKey(models.Model):
    """A key that signs the tokens of one registry: published, then active, then replaced, then retired. The first three are trusted.

    ``probed_at``, ``probe_outcome`` and ``probe_text`` are what the registry last answered to a token signed by it."""

    class State(models.TextChoices):
        PUBLISHED = "published", "published: registries may trust it"
        ACTIVE = "active", "active: signs"
        REPLACED = "replaced", "replaced: trusted until its last token has ended"
        RETIRED = "retired", "retired"
        REVOKED = "revoked", "revoked: taken out in an emergency"

    class Probe(models.TextChoices):
        TRUSTED = "trusted", "trusted"
        REFUSED = "refused", "refused"
        UNCHECKED = "unchecked", "no token is checked"
        DOWN = "down", "no answer"

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="signing_keys")
    kid = models.CharField(max_length=80, unique=True)
    algorithm = models.CharField(max_length=8)
    private_pem = EncryptedTextField()
    certificate_pem = models.TextField()
    public_jwk = models.JSONField()
    state = models.CharField(max_length=10, choices=State.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    replaced_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    probed_at = models.DateTimeField(null=True, blank=True)
    # With a default of the database's own: a process that was started before the columns came may still make a key.
    probe_outcome = models.CharField(max_length=10, choices=Probe.choices, blank=True, default="", db_default="")
    probe_text = models.CharField(max_length=500, blank=True, default="", db_default="")

    class Meta:
        verbose_name = "signing key"
        ordering = ["registry", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["registry"], condition=models.Q(state="active"), name="one_active_key_per_registry"
            ),
            models.UniqueConstraint(
                fields=["registry"], condition=models.Q(state="published"), name="one_next_key_per_registry"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.registry}: {self.kid[:14]}"


class PolicyEpoch(models.Model):
    """One row whose number grows with every change of rules, defaults, restrictions, teams or keys; caches hang on it."""

    number = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return str(self.number)
