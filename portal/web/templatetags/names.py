"""Look something up by a name that a row holds."""

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def of(mapping: Mapping[str, Any], key: str) -> Any:
    """What the mapping has for the key; nothing where it has nothing."""
    return mapping.get(key, ())
