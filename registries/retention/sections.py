"""The section of a topology file that speaks of retention policies."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import Model
from django.utils.dateparse import parse_duration

from registries.retention.models import RetentionPolicy
from registries.topology.models import Registry, Zone
from registries.topology.row_section import RowSection
from registries.topology.sections import Field, Values

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def seconds_of(text: str) -> int:
    """``30s``, ``12h``, ``7d``, ``2w`` or an ISO 8601 duration, in seconds; raises ValueError."""
    if text[:-1].isdigit() and text[-1] in _UNITS:
        return int(text[:-1]) * _UNITS[text[-1]]
    parsed: timedelta | None = parse_duration(text)
    if parsed is None or parsed < timedelta(0):
        raise ValueError(f"older_than is {text!r}; expected something like 7d, 12h or P7D.")
    return int(parsed.total_seconds())


class RetentionSection(RowSection):
    """``retention``: which tags may go."""

    name = "retention"
    model = RetentionPolicy
    fields: Mapping[str, Field] = {
        "zone": Field(str, ""),
        "registry": Field(str, ""),
        "repositories": Field(str, "**"),
        "tags": Field(str, "*"),
        "older_than": Field((str, int)),
        "keep_newest": Field(int, 0),
        "protect_tags": Field(str, ""),
        "position": Field(int, 0),
        "automatic": Field(bool, False),
        "enabled": Field(bool, True),
    }
    links: ClassVar[Mapping[str, type[Model]]] = {"zone": Zone, "registry": Registry}
    columns: ClassVar[Mapping[str, str]] = {
        "repositories": "repository_glob",
        "tags": "tag_glob",
        "older_than": "older_than_seconds",
        "protect_tags": "protect_tag_glob",
        "automatic": "is_automatic",
        "enabled": "is_enabled",
    }

    def complete(self, key: str, values: Values) -> Values:
        if not values["zone"] and not values["registry"]:
            raise ValueError("name a zone or a registry it speaks of.")
        older: Any = values["older_than"]
        values["older_than"] = seconds_of(older) if isinstance(older, str) else older
        return values
