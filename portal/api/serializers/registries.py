"""Registries as the API shows them."""

from typing import Any

from rest_framework import serializers

from registries.topology.models import Registry


class HealthSerializer(serializers.Serializer[Any]):
    """What the last anonymous probe found."""

    state = serializers.CharField()
    message = serializers.CharField()
    latency_ms = serializers.IntegerField(allow_null=True)
    since = serializers.DateTimeField(allow_null=True)
    checked_at = serializers.DateTimeField(allow_null=True)


class RegistrySerializer(serializers.Serializer[Registry]):
    """Where it stands, what it is for, and how far our word reaches there."""

    name = serializers.CharField()
    title = serializers.CharField()
    zone = serializers.CharField(source="zone.name")
    zone_kind = serializers.CharField(source="zone.kind")
    location = serializers.CharField(source="location.name", default=None, allow_null=True)
    product = serializers.CharField()
    host = serializers.CharField(help_text="What clients write before the slash.")
    reach = serializers.CharField(help_text="enforced, brokered or observed")
    role = serializers.CharField(help_text="primary, replica or cache")
    primary = serializers.CharField(source="primary.name", default=None, allow_null=True)
    fronts = serializers.CharField(source="fronts.name", default=None, allow_null=True)
    owner = serializers.CharField(source="owner.name", default=None, allow_null=True)
    contact = serializers.CharField()
    availability_target = serializers.DecimalField(max_digits=6, decimal_places=3, allow_null=True)
    health = HealthSerializer(default=None, allow_null=True)
    synced_at = serializers.DateTimeField(source="sync_state.listed_at", default=None, allow_null=True)
    is_sync_enabled = serializers.BooleanField()
    is_retention_enabled = serializers.BooleanField()
    is_replication_enabled = serializers.BooleanField()
