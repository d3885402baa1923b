"""What did the address ask for? Text as databases take it: trimmed, without NUL."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest


def asked(request: HttpRequest, name: str) -> str:
    """One value of the address's query; empty where it is not there."""
    return clean(request.GET, name)


def clean(values: Mapping[str, Any], name: str) -> str:
    """One value of a query or form."""
    return str(values.get(name, "")).replace("\0", "").strip()
