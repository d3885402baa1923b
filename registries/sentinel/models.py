"""Incidents, and up to where each repository was looked at."""

from django.conf import settings
from django.db import models

from registries.catalog.models import Repository
from registries.fields import DigestField, NameField
from registries.topology.models import Registry


class Incident(models.Model):
    """Something that should not be as it is. Names its repository and tag as text, so that it outlives them. It ends by itself when
    the tag goes or fits; until then somebody may accept it with a reason."""

    class Kind(models.TextChoices):
        MISNAMED_TAG = "misnamed_tag", "a tag is not named by the rules of its zone"

    class State(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted", "accepted: it may stay"
        RESOLVED = "resolved", "resolved: it is so no more"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="incidents")
    repository = NameField(max_length=255)
    tag = NameField(max_length=128, blank=True)
    digest = DigestField(blank=True, default="")
    rule = models.CharField(max_length=400, blank=True, help_text="The rule that it is held against.")
    detail = models.CharField(max_length=1000, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    found_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True, editable=False)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="accepted_incidents"
    )
    accepted_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it may stay, or why it is past.")
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "registry", "repository", "tag"],
                condition=models.Q(state__in=["open", "accepted"]),
                name="one_incident_at_a_time",
            )
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="incident_state"),
            models.Index(fields=["registry", "repository"], name="incident_repository"),
        ]

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}:{self.tag}"


class RepositoryLook(models.Model):
    """Up to which revision of a repository, and by which state of the rules, its tags were looked at; where either differs there is
    work."""

    repository = models.OneToOneField(Repository, on_delete=models.CASCADE, related_name="sentinel_look")
    revision = models.PositiveBigIntegerField(default=0)
    rules = models.CharField(max_length=32, blank=True)

    def __str__(self) -> str:
        return f"{self.repository} at {self.revision}"
