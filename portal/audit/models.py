"""Append-only facts, and the chain that seals them afterwards.

Events are written unchained inside the transaction of what they record, so that no two operations ever wait for each other;
one sealer chains committed events a moment later. Seals name events by id without a foreign key: an event that was removed
leaves its seal behind as evidence."""

from typing import Any

from django.db import models


class AppendOnlyError(Exception):
    """A row of the record cannot be changed or removed."""


class AppendOnly(models.Model):
    """Refuses change and removal here; triggers in the migrations refuse them in the database as well."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None and not self._state.adding:
            raise AppendOnlyError(f"{self._meta.verbose_name} {self.pk} is part of the record and cannot be changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError(f"{self._meta.verbose_name} {self.pk} is part of the record and cannot be removed.")


class AuditEvent(AppendOnly):
    """One fact. The object is named by label, key and printed name, so that history survives its deletion."""

    at = models.DateTimeField()
    verb = models.CharField(max_length=80)
    actor_kind = models.CharField(max_length=10)
    actor_key = models.CharField(max_length=120)
    actor_name = models.CharField(max_length=255)
    object_label = models.CharField(max_length=80, blank=True)
    object_key = models.CharField(max_length=255, blank=True)
    object_name = models.CharField(max_length=512, blank=True)
    detail = models.JSONField(default=dict, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "audit event"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["object_label", "object_key", "-id"], name="audit_by_object"),
            models.Index(fields=["actor_kind", "actor_key", "-id"], name="audit_by_actor"),
            models.Index(fields=["verb", "-id"], name="audit_by_verb"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.verb} {self.object_name}".strip()


class AuditSeal(AppendOnly):
    """One link: ``hash`` covers the sequence, the previous hash and the event's canonical body (RFC 8785)."""

    sequence = models.PositiveBigIntegerField(unique=True)
    event_id = models.BigIntegerField(unique=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()

    class Meta:
        verbose_name = "audit seal"
        ordering = ["-sequence"]

    def __str__(self) -> str:
        return f"seal {self.sequence}"


class AuditCheckpoint(AppendOnly):
    """A signed statement that the chain had this hash at this sequence (Ed25519, key derived from the encryption keys)."""

    sequence = models.PositiveBigIntegerField(unique=True)
    hash = models.CharField(max_length=64)
    signed_at = models.DateTimeField()
    key_id = models.CharField(max_length=16)
    signature = models.CharField(max_length=128)

    class Meta:
        verbose_name = "audit checkpoint"
        ordering = ["-sequence"]

    def __str__(self) -> str:
        return f"checkpoint at {self.sequence}"
