"""Holds: what is asked, and what is answered."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from portal.api.openapi import Word
from portal.api.serializers.readiness import checked_digest
from registries.catalog.models import Hold
from registries.oci.digest import Digest


class HoldQuery(serializers.Serializer[Any]):
    """Which holds are wanted."""

    digest = Word(required=False)
    kind = serializers.ChoiceField(choices=Hold.Kind.values, required=False)

    def validate_digest(self, value: str) -> Digest:
        return checked_digest(value)


class HoldBody(serializers.Serializer[Any]):
    """A legal hold; the other kinds are placed by what needs them."""

    digest = Word()
    reason = Word()
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)

    def validate_digest(self, value: str) -> Digest:
        return checked_digest(value)

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("This time has passed already.")
        return value


class HoldSerializer(serializers.Serializer[Hold]):
    """A reason why a digest must not be deleted anywhere."""

    id = serializers.IntegerField()
    digest = serializers.CharField()
    kind = serializers.CharField()
    reason = serializers.CharField()
    source = serializers.CharField(source="source_label", help_text="What placed it.")  # type: ignore[assignment]
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
