"""Repositories, their tags and what became of them."""

from typing import Any

from rest_framework import serializers

from portal.api.openapi import Word
from registries.catalog.models import Repository, Tag, TagEvent


class RepositoryQuery(serializers.Serializer[Any]):
    """Which repositories are wanted."""

    registry = Word(required=False, default="", allow_blank=True, help_text="Name of a registry.")
    q = Word(required=False, default="", allow_blank=True, help_text="Part of the name; case does not matter.")


class RepositorySerializer(serializers.Serializer[Repository]):
    """A named set of tags and manifests in one registry."""

    registry = serializers.CharField(source="registry.name")
    name = serializers.CharField()
    reference = serializers.SerializerMethodField(help_text="What a client pulls.")
    tag_count = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    revision = serializers.IntegerField(help_text="Grows with every change inside.")
    last_moved_at = serializers.DateTimeField(allow_null=True)
    first_seen_at = serializers.DateTimeField()

    def get_reference(self, row: Repository) -> str:
        return f"{row.registry.host}/{row.name}"


class TagSerializer(serializers.Serializer[Tag]):
    """A mutable name for a digest."""

    name = serializers.CharField()
    digest = serializers.CharField(source="manifest.digest")
    kind = serializers.CharField(source="manifest.kind")
    media_type = serializers.CharField(source="manifest.media_type")
    platform = serializers.CharField(source="manifest.platform")
    moved_at = serializers.DateTimeField(help_text="When we first saw it on this digest.")
    first_seen_at = serializers.DateTimeField()


class TagEventSerializer(serializers.Serializer[TagEvent]):
    """One move of one tag."""

    at = serializers.DateTimeField()
    kind = serializers.CharField(help_text="created, moved or removed")
    source = serializers.CharField(help_text="baseline, sync or job")  # type: ignore[assignment]
    old_digest = serializers.CharField(allow_blank=True)
    new_digest = serializers.CharField(allow_blank=True)
    actor = serializers.CharField(source="actor_name", allow_blank=True)
    cause = serializers.CharField(source="intent.cause_name", default="", allow_blank=True)
