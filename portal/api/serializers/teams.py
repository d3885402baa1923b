"""Robots of teams and their secrets."""

from typing import Any

from rest_framework import serializers

from portal.api.openapi import Word
from registries.access.models import RobotAccount, Secret


class RobotBody(serializers.Serializer[Any]):
    """A new robot of the team in the address."""

    name = Word(max_length=57)
    kind = serializers.ChoiceField(
        choices=RobotAccount.Kind.values, required=False, default="consumer", help_text="ci: by platform admins alone."
    )
    description = Word(required=False, allow_blank=True, default="")
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class RobotSerializer(serializers.Serializer[RobotAccount]):
    """A robot account."""

    name = serializers.CharField()
    login = serializers.CharField()
    kind = serializers.CharField()
    team = serializers.CharField(source="team.name")
    description = serializers.CharField(allow_blank=True)
    is_active = serializers.BooleanField()
    expires_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class SecretBody(serializers.Serializer[Any]):
    """What it is for, and when it ends."""

    name = Word(max_length=80)
    expires_at = serializers.DateTimeField(help_text="Within a year.")


class SecretSerializer(serializers.Serializer[Secret]):
    """What is kept of a secret."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    begins_with = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)

    def get_begins_with(self, row: Secret) -> str:
        return f"ptr_{row.handle}_"


class IssuedSecretSerializer(SecretSerializer):
    """The only time that it is told."""

    secret = serializers.CharField()
