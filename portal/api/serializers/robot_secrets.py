"""A robot's own secrets: what it asks for, and what it is told of them."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from rest_framework import serializers

from portal.api.openapi import Word
from registries.access.credential.narrowing import ACTIONS, glob_fault
from registries.access.credential.secret_state import state_of
from registries.access.models import Secret
from registries.access.networks import validate_networks
from registries.topology.models import Reach, Registry

HOURS_AT_MOST = 720


class SuccessorBody(serializers.Serializer[Any]):
    """A successor of the secret that asks. What is left out is as it is now; nothing can be wider or live longer."""

    name = Word(required=False, max_length=80, help_text="What it is for.")
    overlap_hours = serializers.IntegerField(
        required=False,
        default=24,
        min_value=0,
        max_value=HOURS_AT_MOST,
        help_text="How long the secret that asks still works.",
    )
    expires_at = serializers.DateTimeField(required=False, help_text="The end of the new one.")
    repositories = Word(required=False, help_text="A pattern: * stops at a slash, ** does not.")
    actions = serializers.ListField(child=serializers.ChoiceField(choices=ACTIONS), required=False, allow_empty=False)
    registries = serializers.ListField(child=Word(max_length=64), required=False, allow_empty=False)
    networks = serializers.ListField(child=Word(max_length=64), required=False, allow_empty=False)

    def validate_expires_at(self, value: datetime) -> datetime:
        if value <= timezone.now():
            raise serializers.ValidationError("This time has passed already.")
        return value

    def validate_repositories(self, value: str) -> str:
        if fault := glob_fault(value):
            raise serializers.ValidationError(fault)
        return value

    def validate_registries(self, value: list[str]) -> list[str]:
        known = set(Registry.objects.filter(reach=Reach.ENFORCED, name__in=value).values_list("name", flat=True))
        if unknown := sorted(set(value) - known):
            raise serializers.ValidationError(
                f"There is no registry named {', '.join(unknown)} that takes our credentials."
            )
        return value

    def validate_networks(self, value: list[str]) -> list[str]:
        try:
            validate_networks(",".join(value))
        except ValidationError as error:
            raise serializers.ValidationError(error.messages) from error
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        long = [name for name in ("registries", "networks") if len(", ".join(attrs.get(name, ()))) > 500]
        if long:
            raise serializers.ValidationError(dict.fromkeys(long, "These are too many to be kept beside one secret."))
        return attrs


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


class RobotSecretSerializer(serializers.Serializer[Secret]):
    """One secret without the secret. ``handle`` names it."""

    handle = serializers.CharField()
    name = serializers.CharField()
    username = serializers.CharField(source="robot.login", help_text="For docker login.")
    state = serializers.SerializerMethodField(help_text="works, ends soon, ended or revoked.")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    replaces = serializers.CharField(source="replaces.handle", default=None, allow_null=True)
    repositories = serializers.CharField(source="pattern", help_text="Empty means all that the robot may.")
    actions = serializers.SerializerMethodField()
    registries = serializers.SerializerMethodField()
    networks = serializers.SerializerMethodField()
    is_current = serializers.SerializerMethodField(help_text="Whether it is the one this request came with.")

    def get_state(self, row: Secret) -> str:
        return state_of(row, timezone.now())

    def get_actions(self, row: Secret) -> list[str]:
        return _words(row.actions)

    def get_registries(self, row: Secret) -> list[str]:
        return _words(row.registries)

    def get_networks(self, row: Secret) -> list[str]:
        return _words(row.networks)

    def get_is_current(self, row: Secret) -> bool:
        return bool(row.pk == self.context.get("current"))


class SuccessorSerializer(RobotSecretSerializer):
    """The only answer that ever holds the secret."""

    secret = serializers.SerializerMethodField(help_text="The password for docker login, the bearer token of this API.")
    old_works_until = serializers.SerializerMethodField()

    def get_secret(self, row: Secret) -> str:
        return str(self.context["text"])

    def get_old_works_until(self, row: Secret) -> datetime:
        until: datetime = self.context["until"]
        return until
