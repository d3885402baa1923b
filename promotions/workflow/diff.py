"""Pure: what would change for those who pull? Two artifacts as values in, the difference as plain JSON out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class PartFacts:
    """What runs on one platform. ``layers``: digest -> bytes; ``created`` is what the image says of itself, ISO 8601 or nothing."""

    labels: Mapping[str, str]
    layers: Mapping[str, int]
    config_digest: str
    created: str = ""


@dataclass(frozen=True)
class ArtifactFacts:
    """One artifact by platform."""

    digest: str
    size_bytes: int
    parts: Mapping[str, PartFacts] = field(default_factory=dict)


NOTHING = PartFacts({}, {}, "")


def difference(old: ArtifactFacts | None, new: ArtifactFacts, *, tag: str = "") -> dict[str, Any]:
    """``old`` is what the target has now, under ``tag``; None for the first promotion of a repository."""
    before = old.parts if old else {}
    return {
        "baseline": {"digest": old.digest if old else "", "tag": tag, "is_first": old is None},
        "size_bytes": {"old": old.size_bytes if old else None, "new": new.size_bytes},
        "platforms": {
            "added": sorted(new.parts.keys() - before.keys()),
            "removed": sorted(before.keys() - new.parts.keys()),
            "kept": sorted(new.parts.keys() & before.keys()),
        },
        "parts": [
            {"platform": name, **_part(before.get(name, NOTHING), new.parts[name], is_new=name not in before)}
            for name in sorted(new.parts)
        ],
    }


def _part(old: PartFacts, new: PartFacts, *, is_new: bool) -> dict[str, Any]:
    return {
        "is_new": is_new,
        "labels": _labels(old.labels, new.labels),
        "layers": _layers(old.layers, new.layers),
        "is_config_changed": old.config_digest != new.config_digest,
        "created": {"old": old.created, "new": new.created},
    }


def _labels(old: Mapping[str, str], new: Mapping[str, str]) -> list[dict[str, str | None]]:
    """Only what changed; None where there was nothing, or is nothing any more."""
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return [{"name": name, "old": old.get(name), "new": new.get(name)} for name in names]


def _layers(old: Mapping[str, int], new: Mapping[str, int]) -> dict[str, int]:
    shared = old.keys() & new.keys()
    return {
        "shared": len(shared),
        "shared_bytes": sum(new[digest] for digest in shared),
        "new": len(new) - len(shared),
        "new_bytes": sum(size for digest, size in new.items() if digest not in shared),
        "gone": len(old) - len(shared),
    }
