"""The passport of a digest: what it is, where it is, and how it got there."""

from typing import Any

from rest_framework import serializers


class PlatformSerializer(serializers.Serializer[Any]):
    """One child of an index, or the image itself."""

    platform = serializers.CharField(allow_blank=True)
    digest = serializers.CharField()
    is_attestation = serializers.BooleanField()
    is_read = serializers.BooleanField(help_text="False: named by the index and not read yet.")
    created_at = serializers.DateTimeField(allow_null=True)
    content_bytes = serializers.IntegerField(allow_null=True)
    labels = serializers.DictField(child=serializers.CharField())


class PlacementSerializer(serializers.Serializer[Any]):
    """One repository that has it."""

    registry = serializers.CharField(source="repository.registry.name")
    repository = serializers.CharField(source="repository.name")
    tags = serializers.ListField(child=serializers.CharField(), source="tag_names")
    first_seen_at = serializers.DateTimeField()


class DigestPromotionSerializer(serializers.Serializer[Any]):
    """One promotion of it."""

    id = serializers.CharField(source="public_id")
    path = serializers.CharField(source="path.name")
    state = serializers.CharField()
    on_behalf_of = serializers.CharField(source="on_behalf_of.username")
    created_at = serializers.DateTimeField()
    promoted_at = serializers.DateTimeField(allow_null=True)


class DeliverySerializer(serializers.Serializer[Any]):
    """One tag of it at one registry that follows."""

    registry = serializers.CharField(source="rule.target.name")
    repository = serializers.CharField()
    tag = serializers.CharField()
    state = serializers.CharField(help_text="pending, copying, present (read back) or failed")
    reason = serializers.CharField(source="reason_text", allow_blank=True)
    verified_at = serializers.DateTimeField(allow_null=True)


class PassportHoldSerializer(serializers.Serializer[Any]):
    """One reason why it must not be deleted."""

    kind = serializers.CharField()
    reason = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)


class PassportSerializer(serializers.Serializer[Any]):
    """Everything the portal knows of one manifest that the caller may see."""

    digest = serializers.CharField()
    kind = serializers.CharField(help_text="image, index or artifact")
    media_type = serializers.CharField()
    artifact_type = serializers.CharField(allow_blank=True)
    subject = serializers.CharField(allow_blank=True)
    size_bytes = serializers.IntegerField()
    content_bytes = serializers.IntegerField()
    created_at = serializers.DateTimeField(allow_null=True)
    labels = serializers.DictField(child=serializers.CharField())
    annotations = serializers.DictField(child=serializers.CharField())
    platforms = PlatformSerializer(many=True)
    placements = PlacementSerializer(many=True)
    promotions = DigestPromotionSerializer(many=True)
    deliveries = DeliverySerializer(many=True)
    holds = PassportHoldSerializer(many=True)
