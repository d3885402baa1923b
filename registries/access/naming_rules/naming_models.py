"""How names in a CI zone have to look. Loaded by :mod:`registries.access.models`."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from registries.fields import NameField
from registries.topology.models import Zone, ZoneKind


def no_names() -> list[str]:
    return []


class NamingRule(models.Model):
    """In repositories that ``pattern`` means, a name has to match one of ``names``: that of a repository before a token to push it is
    made, that of a tag when it is seen after the push, for a token cannot tell tags apart."""

    class Subject(models.TextChoices):
        REPOSITORY = "repository", "names of repositories"
        TAG = "tag", "names of tags"

    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, related_name="naming_rules")
    subject = models.CharField("what for", max_length=10, choices=Subject.choices, default=Subject.REPOSITORY)
    pattern = NameField(
        "repositories", max_length=255, default="**", help_text="Of which repositories it speaks: * stops at a slash, ** does not."
    )  # fmt: skip
    names = models.JSONField(
        default=no_names, help_text='A list of forms, one of which a name must have: ["*/*"] or ["pr-*", "sha-*"].'
    )
    reason = models.CharField(
        max_length=255, blank=True, help_text="Told to those who are refused: where the rule is written."
    )
    is_enabled = models.BooleanField(default=True)

    class Meta:
        verbose_name = "naming rule"
        ordering = ["zone", "subject", "pattern"]

    def __str__(self) -> str:
        return f"{self.zone}: {self.get_subject_display()} in {self.pattern}"

    def clean(self) -> None:
        """Only CI has names that can be ruled: people play in sandboxes, and into prod goes what was promoted."""
        faults: dict[str, str] = {}
        if self.zone_id and self.zone.kind not in (ZoneKind.CI_TESTS, ZoneKind.CI_SNAPSHOTS):
            faults["zone"] = (
                f"{self.zone} is no CI zone. Names in prod are checked by the gates of the path that leads there."
            )
        if not is_list_of_forms(self.names):
            faults["names"] = 'Give a list of one or more forms, such as ["*/*"].'
        if faults:
            raise ValidationError(faults)


def is_list_of_forms(value: Any) -> bool:
    """Whether it is a list of texts that could be globs."""
    return isinstance(value, list) and bool(value) and all(isinstance(form, str) and form.strip() for form in value)
