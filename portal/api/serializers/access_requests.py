"""Requests for access: what is asked, what is decided, and what is answered."""

from typing import Any

from rest_framework import serializers

from portal.api.openapi import Word
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.request_news import page_of, whom
from registries.access.models import Action


class AccessRequestQuery(serializers.Serializer[Any]):
    """Which of those one may see."""

    show = serializers.ChoiceField(
        choices=["mine", "waiting", "all"], required=False, help_text="waiting: for one's decision."
    )
    state = serializers.ChoiceField(choices=AccessRequest.State.values, required=False)
    registry = Word(required=False)


class AskForAccess(serializers.Serializer[Any]):
    """What for whom, until when and why. Neither team nor robot: for oneself."""

    registry = Word()
    pattern = Word(help_text="A repository, or a glob: * stops at a slash and ** does not.")
    actions = serializers.ListField(child=serializers.ChoiceField(choices=Action.values), min_length=1, max_length=3)
    reason = serializers.CharField(max_length=2000)
    ends_at = serializers.DateTimeField(help_text="Within a year.")
    team = Word(required=False, allow_blank=True, default="")
    robot = Word(required=False, allow_blank=True, default="", help_text="Its name, with or without “robot.”.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["team"] and attrs["robot"]:
            raise serializers.ValidationError({"robot": "Name a team or a robot, not both."})
        return attrs


class AccessDecision(serializers.Serializer[Any]):
    """Grant as asked or less, or refuse with a comment."""

    decision = serializers.ChoiceField(choices=["grant", "refuse"])
    version = serializers.IntegerField(
        min_value=1, max_value=2**31, help_text="Of the request as it was when it was read."
    )
    comment = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)
    pattern = Word(required=False, allow_blank=True, default="")
    actions = serializers.ListField(
        child=serializers.ChoiceField(choices=Action.values), required=False, default=list, max_length=3
    )
    ends_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class GrantSerializer(serializers.Serializer[Any]):
    """The rule that a request became."""

    id = serializers.IntegerField()
    pattern = serializers.CharField()
    actions = serializers.ListField(child=serializers.CharField())
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class AccessRequestSerializer(serializers.Serializer[AccessRequest]):
    """One request and what became of it."""

    id = serializers.IntegerField()
    state = serializers.CharField()
    version = serializers.IntegerField()
    requester = serializers.CharField(source="requester.username")
    subject = serializers.SerializerMethodField(help_text="Whom it is for.")
    registry = serializers.CharField(source="registry.name")
    pattern = serializers.CharField()
    actions = serializers.SerializerMethodField()
    reason = serializers.CharField()
    ends_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.SerializerMethodField()
    comment = serializers.CharField(allow_blank=True)
    grant = GrantSerializer(source="rule", allow_null=True)
    url = serializers.SerializerMethodField(help_text="Its page.")

    def get_subject(self, row: AccessRequest) -> str:
        return whom(row)

    def get_actions(self, row: AccessRequest) -> list[str]:
        return row.actions.split(",")

    def get_decided_by(self, row: AccessRequest) -> str | None:
        return row.decided_by.username if row.decided_by else None

    def get_url(self, row: AccessRequest) -> str:
        return page_of(row)
