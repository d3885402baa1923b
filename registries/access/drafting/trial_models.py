"""Drafts held against what was really asked. Loaded by :mod:`registries.access.models`."""

from typing import Any

from django.db import models

from portal.jobs.models import Job


def no_keys() -> list[int]:
    return []


def no_result() -> dict[str, Any]:
    return {}


class DraftTrial(Job):
    """One comparison of the rules in force with drafts in their place. ``drafts`` and ``without`` are keys of access rules, ``seen`` the
    version of those rules that was looked at, ``epoch`` that of the whole policy; ``result`` is what came out, as
    :func:`registries.access.drafting.trials.result_of` writes it."""

    drafts = models.JSONField(default=no_keys)
    without = models.JSONField("left out", default=no_keys)
    about = models.TextField(blank=True, help_text="The drafts and the rules left out, as they were.")
    seen = models.CharField(max_length=32, blank=True)
    epoch = models.PositiveBigIntegerField(default=0)
    refused_count = models.PositiveBigIntegerField("newly refused", default=0)
    allowed_count = models.PositiveBigIntegerField("newly allowed", default=0)
    result = models.JSONField(default=no_result)

    class Meta:
        verbose_name = "trial of drafts"
        verbose_name_plural = "trials of drafts"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"trial {self.pk} of {len(self.drafts)} draft{'' if len(self.drafts) == 1 else 's'}"
