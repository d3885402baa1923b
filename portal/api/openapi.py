"""What does the schema say that no view can? How callers prove who they are, and what every refusal looks like."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import serializers

PROBLEM = {
    "type": "object",
    "description": "RFC 9457. Branch on `code`; read `detail`.",
    "required": ["type", "title", "status", "code", "detail", "errors", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "request_id": {"type": "string"},
    },
}


class SecretScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The bearer secret, as the schema names it."""

    target_class = "portal.api.authentication.SecretAuthentication"
    name = "secret"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A personal token (made under My access) or a secret of a robot account.",
        }


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Every operation may answer with a problem document; said once, here."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result.get("paths", {}).values():
        for operation in operations.values():
            operation["responses"].setdefault("default", {"description": "Refused.", "content": content})
    return result


class Word(serializers.CharField):
    """A short text of a query or a body, without control characters: none of ours has any, and databases refuse some."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", 255)
        super().__init__(**options)
