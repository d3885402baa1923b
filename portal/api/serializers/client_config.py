"""The files that make clients pull from the closest registries, for scripts that set up machines."""

from typing import Any

from rest_framework import serializers

from portal.api.openapi import Word
from registries.access.client_files.kubernetes import DEFAULT_SECRET_NAME
from registries.access.client_files.setups import CLIENTS


class ClientConfigQuery(serializers.Serializer[Any]):
    """Where the clients stand, which they are, and whose pull secret it is to be."""

    location = Word(
        required=False,
        default="",
        allow_blank=True,
        help_text="Without one every registry is asked under its own name.",
    )
    robot = Word(
        required=False,
        default="",
        allow_blank=True,
        help_text="Whose pull secret, as NAME or robot.NAME; a robot that asks is meant itself when it is left out.",
    )
    namespace = Word(required=False, default="", allow_blank=True, help_text="Of the pull secret.")
    secret_name = Word(required=False, default=DEFAULT_SECRET_NAME, help_text="Of the pull secret.")

    def get_fields(self) -> dict[str, Any]:
        """``for`` is a word of Python, so it cannot be an attribute."""
        clients = serializers.ChoiceField(choices=[*CLIENTS, "all"], default="all", help_text="Which clients.")
        return {**super().get_fields(), "for": clients}


class RouteSerializer(serializers.Serializer[Any]):
    """Who is asked for what one registry holds."""

    host = serializers.CharField(help_text="What stands before the slash in the name of an image.")
    tried = serializers.ListField(child=serializers.CharField(), help_text="Names of registries, in this order.")


class NoteSerializer(serializers.Serializer[Any]):
    """A sentence, and what to type or to add somewhere."""

    text = serializers.CharField()
    code = serializers.CharField(allow_blank=True)


class ClientConfigSerializer(serializers.Serializer[Any]):
    """Files by the path they have below the folder that programs read, and what to know beside them."""

    location = serializers.CharField(allow_blank=True)
    files = serializers.DictField(child=serializers.CharField(), help_text="Path to text. No secret is ever in them.")
    notes = serializers.DictField(child=NoteSerializer(many=True), help_text="By client.")
    routes = RouteSerializer(many=True)
    logins = serializers.ListField(child=serializers.CharField(), help_text="Hosts that ask for a login of the portal.")
    remarks = serializers.ListField(child=serializers.CharField(), help_text="What stays out, and why.")
