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
        help_text="A user name, robot.NAME, system:PRINCIPAL or anonymous; oneself when left out. People ask about themselves, "
        "strangers, robots of their teams and members of teams they maintain; with a role about anybody.",
    )
    action = serializers.ChoiceField(choices=["pull", "push", "delete"])
    registry = Word()
    repository = Word(help_text="A tag or digest behind the name changes nothing.")
    address = Word(
        required=False, default="", allow_blank=True, help_text="Where the client is, for rules with networks."
    )
    credential = Word(
        required=False, default="", allow_blank=True, help_text="The handle of the secret that is shown, or keyless."
    )
    at = serializers.DateTimeField(required=False, default=None, help_text="Another time than now.")


class LostSerializer(serializers.Serializer[Any]):
    """What spoke of it too and did not decide."""

    rule = serializers.CharField()
    rule_key = serializers.IntegerField(allow_null=True, help_text="Of the access rule; null where it is none.")
    why = serializers.CharField()


class NearSerializer(serializers.Serializer[Any]):
    """A rule that nearly fits, with what does not."""

    rule = serializers.CharField()
    rule_key = serializers.IntegerField()
    why = serializers.ListField(child=serializers.CharField())


class ChangeSerializer(serializers.Serializer[Any]):
    """Something that would have to be otherwise."""

    kind = serializers.CharField(
        help_text="rule, end_rule, end_restriction, rename, credential, network, time, promotion, keyless and others"
    )
    text = serializers.CharField()


class WhomToAskSerializer(serializers.Serializer[Any]):
    """Somebody to turn to."""

    who = serializers.CharField()
    names = serializers.ListField(child=serializers.CharField())
    more = serializers.IntegerField(help_text="How many there are beside those named.")
    contact = serializers.CharField(allow_blank=True)


class ExplanationSerializer(serializers.Serializer[Any]):
    """Allowed or not, and why."""

    who = serializers.CharField()
    action = serializers.CharField()
    registry = serializers.CharField()
    repository = serializers.CharField()
    address = serializers.CharField(allow_blank=True)
    credential = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    is_allowed = serializers.BooleanField()
    code = serializers.CharField()
    reason = serializers.CharField()
    fix = serializers.CharField(allow_blank=True, help_text="What would make a no a yes, in one sentence.")
    rule = serializers.CharField(allow_blank=True, help_text="What decided.")
    rule_key = serializers.IntegerField(allow_null=True, help_text="Of the access rule that decided.")
    lost = LostSerializer(many=True)
    near = NearSerializer(many=True)
    needed = ChangeSerializer(many=True, help_text="All of these have to go out of the way first.")
    changes = ChangeSerializer(
        many=True, help_text="One of these is then enough; none means that nothing more is needed."
    )
    ask = WhomToAskSerializer(many=True)
    notes = serializers.ListField(child=serializers.CharField())
