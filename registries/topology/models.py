"""Zones, locations and registries: the map as rows."""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models

from portal.users.models import NAME, Team
from portal.vault import EncryptedTextField
from registries.adapters import ADAPTERS
from registries.fields import NameField


class ZoneKind(models.TextChoices):
    """What a zone is for decides its defaults and its hard rules."""

    UPSTREAM = "upstream", "upstream"
    ARCHIVE = "archive", "archive"
    SANDBOX = "sandbox", "sandbox"
    CI_TESTS = "ci-tests", "CI tests"
    CI_SNAPSHOTS = "ci-snapshots", "CI snapshots"
    PROD = "prod", "prod"
    CACHE = "cache", "cache"


# A registry never leaves a zone of these kinds.
LASTING = (ZoneKind.SANDBOX, ZoneKind.PROD, ZoneKind.ARCHIVE)


class Zone(models.Model):
    """Registries of one trust level. ``position`` is the place on the way an image travels."""

    name = models.CharField(max_length=64, unique=True, validators=[NAME])
    kind = models.CharField(max_length=16, choices=ZoneKind.choices)
    title = models.CharField(max_length=120, blank=True)
    concern = models.CharField(max_length=255, blank=True, help_text="In one line: what this zone is for.")
    position = models.PositiveSmallIntegerField(default=0)
    requires_keyless = models.BooleanField(
        "keyless CI only",
        default=False,
        help_text="For CI zones: pushes only with a credential made from a CI job's identity token, never with a stored secret.",
    )

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Hard rules hang on the kind: nobody is to open prod by calling it a sandbox."""
        was = Zone.objects.filter(pk=self.pk).values_list("kind", flat=True).first() if self.pk else None
        if was is not None and was != self.kind and Registry.objects.filter(zone=self.pk).exists():
            text = f"Registries stand in {self}, and their hard rules hang on its kind. Make another zone instead."
            raise ValidationError({"kind": text})
        if self.requires_keyless and self.kind not in (ZoneKind.CI_TESTS, ZoneKind.CI_SNAPSHOTS):
            raise ValidationError({"requires_keyless": "Only CI zones take pushes from CI."})


class ZoneDefault(models.Model):
    """What everybody of an audience may do in a zone without any rule. Rows, so that they can be seen and changed; hard rules stand above them."""

    class Audience(models.TextChoices):
        EVERYONE = "everyone", "everyone signed in"
        PEOPLE = "people", "every signed-in person"
        CI = "ci", "robots of kind CI"
        ROBOTS = "robots", "every robot"

    class Action(models.TextChoices):
        PULL = "pull"
        PUSH = "push"
        DELETE = "delete"

    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, related_name="defaults")
    audience = models.CharField(max_length=10, choices=Audience.choices)
    action = models.CharField(max_length=6, choices=Action.choices)
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["zone", "action", "audience"]
        constraints = [models.UniqueConstraint(fields=["zone", "audience", "action"], name="zone_default_once")]

    def __str__(self) -> str:
        return f"{self.zone}: {self.get_audience_display()} may {self.action}"


class Location(models.Model):
    """Where registries and workers stand: a continent, a data centre."""

    name = models.CharField(max_length=64, unique=True, validators=[NAME])
    title = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Reach(models.TextChoices):
    """How far our word reaches at a registry."""

    ENFORCED = "enforced", "enforced: it trusts our tokens"
    BROKERED = "brokered", "brokered: we manage its own accounts and rights"
    OBSERVED = "observed", "observed: we see and report"


class Registry(models.Model):
    """One server speaking the OCI Distribution API. ``host`` is what clients write before the slash, ``service`` the audience of its tokens."""

    name = models.CharField(max_length=64, unique=True, validators=[NAME])
    title = models.CharField(max_length=120, blank=True)
    zone = models.ForeignKey(Zone, on_delete=models.PROTECT, related_name="registries")
    location = models.ForeignKey(Location, null=True, blank=True, on_delete=models.PROTECT, related_name="registries")
    product = models.CharField(
        max_length=32, default="distribution", help_text="Make: the adapter that knows its differences."
    )
    base_url = models.CharField(
        max_length=300, help_text="Where the portal reaches it, for example https://registry.example."
    )
    host = NameField(
        max_length=255, unique=True, help_text="What clients write before the slash, for example registry.example:5000."
    )
    service = NameField(
        max_length=255, unique=True, help_text="Audience of its tokens; unique, or two registries would share them."
    )
    reach = models.CharField(max_length=10, choices=Reach.choices, default=Reach.OBSERVED)
    primary = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="replicas",
        help_text="The registry this one follows.",
    )
    fronts = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="caches",
        help_text="The registry this cache pulls through.",
    )
    owner = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="registries")
    contact = models.CharField(max_length=255, blank=True)
    availability_target = models.DecimalField(
        max_digits=6,
        decimal_places=3,
        null=True,
        blank=True,
        help_text="Per cent of the time it should answer, for example 99.9.",
    )
    verify_tls = models.BooleanField(default=True)
    ca_bundle = models.CharField(
        max_length=300,
        blank=True,
        help_text="Path of a PEM file of certificates to trust for this registry, instead of the system's.",
    )
    token_algorithm = models.CharField(max_length=8, choices=[("ES256", "ES256"), ("RS256", "RS256")], default="ES256")
    is_sync_enabled = models.BooleanField(default=True)
    is_retention_enabled = models.BooleanField(default=False, help_text="Off: cleanup plans are previews.")
    is_replication_enabled = models.BooleanField(default=False)
    baseline_accepted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "registries"
        ordering = ["zone__position", "name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """What a registry may be; the rows it points at must already be there."""
        findings = topology_findings(self)
        if findings:
            raise ValidationError(findings)

    @property
    def role(self) -> str:
        """primary, replica or cache."""
        if self.fronts_id:
            return "cache"
        return "replica" if self.primary_id else "primary"


def topology_findings(registry: Registry) -> dict[str, str]:
    """Field -> what is wrong with it; empty when the registry fits the map."""
    found = {**_leaving_findings(registry), **_own_findings(registry), **_replica_findings(registry)}
    is_cache = registry.zone_id and registry.zone.kind == ZoneKind.CACHE
    if is_cache and registry.fronts is None:
        found["fronts"] = "A cache says which registry it pulls through."
    elif not is_cache and registry.fronts is not None:
        found["fronts"] = "Only a registry of a cache zone fronts another."
    elif registry.fronts is not None and (registry.fronts_id == registry.pk or registry.fronts.fronts_id):
        found["fronts"] = "A cache pulls through a registry that holds content, not itself and not another cache."
    elif (
        registry.fronts is not None and registry.fronts.zone.kind == ZoneKind.PROD and registry.reach != Reach.ENFORCED
    ):
        found["reach"] = "A cache of prod must enforce the rules of prod; one that cannot would let everybody pull."
    return found


def _own_findings(registry: Registry) -> dict[str, str]:
    found: dict[str, str] = {}
    if not _is_bare_address(registry.base_url):
        found["base_url"] = "Give scheme and host alone, for example https://registry.example."
    if registry.product not in ADAPTERS:
        found["product"] = f"{registry.product} is no make that we know; known are {', '.join(sorted(ADAPTERS))}."
    if registry.availability_target is not None and not 0 <= registry.availability_target <= 100:
        found["availability_target"] = "Give a percentage between 0 and 100."
    return found


def _leaving_findings(registry: Registry) -> dict[str, str]:
    """Whoever could move prod among the sandboxes could push to it; and what is in a sandbox would leave with its registry."""
    was = Registry.objects.filter(pk=registry.pk).values_list("zone__kind", flat=True).first() if registry.pk else None
    if was not in LASTING or not registry.zone_id or registry.zone.kind == was:
        return {}
    text = f"A registry of a {was} zone stays in one, for its hard rules would end. Register another server instead."
    return {"zone": text}


def _is_bare_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_reachable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    is_bare = (
        not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
        and url.isprintable()
        and " " not in url
    )
    return is_reachable and is_bare and parts.scheme in {"http", "https"}


def _replica_findings(registry: Registry) -> dict[str, str]:
    if registry.primary is not None:
        if registry.primary_id == registry.pk or registry.primary.primary_id:
            return {"primary": "A replica follows a primary, not itself and not another replica."}
        if registry.primary.zone_id != registry.zone_id:
            return {"primary": f"A replica stands in the zone of its primary, which is {registry.primary.zone}."}
    follower = registry.replicas.select_related("zone").first() if registry.pk else None
    if follower is not None and registry.primary is not None:
        return {"primary": f"{follower} follows this registry, so it cannot follow another."}
    if follower is not None and follower.zone_id != registry.zone_id:
        return {"zone": f"{follower} follows this registry and stands in {follower.zone}; let it follow another first."}
    return {}


class RegistryHealth(models.Model):
    """What the last anonymous probe found; ``since`` is when the state last changed."""

    class State(models.TextChoices):
        WELL = "well"
        ATTENTION = "attention"
        BROKEN = "broken"
        UNKNOWN = "unknown"

    registry = models.OneToOneField(Registry, on_delete=models.CASCADE, related_name="health")
    state = models.CharField(max_length=10, choices=State.choices, default=State.UNKNOWN)
    message = models.CharField(max_length=500, blank=True)
    latency_ms = models.PositiveIntegerField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    since = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "registry health"

    def __str__(self) -> str:
        return f"{self.registry}: {self.state}"


class Credential(models.Model):
    """A secret we use toward a registry that does not trust our tokens. Encrypted at rest, never shown."""

    registry = models.OneToOneField(Registry, on_delete=models.CASCADE, related_name="credential")
    username = models.CharField(max_length=255)
    secret = EncryptedTextField()
    expires_at = models.DateTimeField(null=True, blank=True)
    warned_days = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.username} at {self.registry}"
