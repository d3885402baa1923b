"""What a CI job sends for a credential, and what it gets."""

from typing import Any

from rest_framework import serializers

from portal.api.openapi import Word


class ExchangeBody(serializers.Serializer[Any]):
    """The identity token of the job."""

    token = serializers.CharField(
        max_length=1024 * 1024, trim_whitespace=True, help_text="As the issuer gave it to the job."
    )
    robot = Word(
        required=False, default="", allow_blank=True, max_length=80,
        help_text="User name of the robot account that is wanted, where rules for several match.",
    )  # fmt: skip


class ExchangedSerializer(serializers.Serializer[Any]):
    """A credential for docker login and for this API. It is shown this once."""

    username = serializers.CharField(source="secret.robot.login")
    token = serializers.CharField(
        source="text", help_text="The password for docker login, the bearer token of this API."
    )
    expires_at = serializers.DateTimeField(source="secret.expires_at")
    expires_in = serializers.IntegerField(default=900, help_text="Seconds.")
    rule = serializers.CharField(source="exchange.rule.name")
    on_behalf_of = serializers.CharField(
        source="exchange.on_behalf_of.username", default="", help_text="The person behind the job, if one is known."
    )
    repositories = serializers.CharField(source="secret.pattern", help_text="What it is good for, at most.")
    actions = serializers.SerializerMethodField()

    def get_actions(self, made: Any) -> list[str]:
        return str(made.secret.actions).split(",")


class AudienceSerializer(serializers.Serializer[Any]):
    """What identity tokens for this portal must be made for."""

    audience = serializers.CharField()
