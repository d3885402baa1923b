"""Readiness: what is asked, and what is answered."""

from typing import Any

from rest_framework import serializers

from portal.api.openapi import Word
from registries.oci.digest import Digest, InvalidDigest


def checked_digest(text: str) -> Digest:
    """A digest, or ValidationError with what one looks like."""
    try:
        return Digest.parse(text.strip())
    except InvalidDigest as error:
        raise serializers.ValidationError(str(error)) from error


class ReadyQuery(serializers.Serializer[Any]):
    """Which artifact, under which name, and where."""

    digest = Word()
    repository = Word()
    registries = Word(
        required=False,
        default="",
        allow_blank=True,
        max_length=2000,
        help_text="Names with commas between; left out: every registry that has or follows the repository.",
    )

    def validate_digest(self, value: str) -> Digest:
        return checked_digest(value)

    def validate_registries(self, value: str) -> list[str]:
        return list(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))


class RegistryReadySerializer(serializers.Serializer[Any]):
    """One registry's answer, from what was read back there."""

    registry = serializers.CharField()
    is_ready = serializers.BooleanField()
    code = serializers.CharField(
        help_text="ready, seen (not carried by us), unknown, missing, partial, copying, failed or not_read_back"
    )
    reason = serializers.CharField()
    manifests_present = serializers.IntegerField()
    manifests_total = serializers.IntegerField()
    blobs_total = serializers.IntegerField()
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="The first ten manifests that are not there."
    )
    verified_at = serializers.DateTimeField(allow_null=True, help_text="When all of it was last read back.")


class ReadySerializer(serializers.Serializer[Any]):
    """Ready when it is ready everywhere."""

    digest = serializers.CharField()
    repository = serializers.CharField()
    is_ready = serializers.BooleanField()
    registries = RegistryReadySerializer(many=True)
