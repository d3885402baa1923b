"""Access: who one is, and why something is allowed or not."""

from typing import Any

from rest_framework import serializers

from portal.api.openapi import Word


class WhoamiSerializer(serializers.Serializer[Any]):
    """Who the caller is to the portal."""

    kind = serializers.CharField(help_text="user or robot")
    name = serializers.CharField(help_text="The name for docker login, too.")
    teams = serializers.ListField(child=serializers.CharField())
    roles = serializers.ListField(child=serializers.CharField())
    robot_kind = serializers.CharField(allow_null=True)
    credential = serializers.CharField(help_text="session, or the name of the secret")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="When the secret ends.")


class ExplainQuery(serializers.Serializer[Any]):
    """Who wants to do what, and where."""

    who = Word(
        required=False,
        default="",
        allow_blank=True,
        help_text="A user name, robot.NAME, system:PRINCIPAL or anonymous; oneself when left out. Others need a role.",
    )
    action = serializers.ChoiceField(choices=["pull", "push", "delete"])
    registry = Word()
    repository = Word()


class ExplanationSerializer(serializers.Serializer[Any]):
    """Allowed or not, and why."""

    who = serializers.CharField()
    action = serializers.CharField()
    registry = serializers.CharField()
    repository = serializers.CharField()
    is_allowed = serializers.BooleanField()
    code = serializers.CharField()
    reason = serializers.CharField()
    fix = serializers.CharField(allow_blank=True, help_text="What would make a no a yes.")
    rule = serializers.CharField(allow_blank=True, help_text="What decided.")
