"""Answers kept so that a repeated request does its work once."""

from django.db import models


class IdempotencyRecord(models.Model):
    """One ``Idempotency-Key`` of one caller. ``status`` 0: the first request is still at work."""

    caller = models.CharField(max_length=120)
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_once")]

    def __str__(self) -> str:
        return f"{self.key} of {self.caller}"
