"""May this artifact move? Pure checks: evidence in, verdict with its reason out."""

from collections.abc import Mapping

from promotions.gates.base import Gate
from promotions.gates.platforms import Platforms
from promotions.gates.required_metadata import RequiredMetadata
from promotions.gates.tag_pattern import TagPattern

GATES: Mapping[str, Gate] = {gate.name: gate for gate in (TagPattern(), RequiredMetadata(), Platforms())}
