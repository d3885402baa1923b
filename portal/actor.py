"""Who caused this? A value that every mutating operation takes."""

from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["user", "robot", "job", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """``key`` identifies for ever (primary key as text), ``name`` is what people read, printed into history."""

    kind: ActorKind
    key: str
    name: str

    def __str__(self) -> str:
        return self.name


def system(name: str) -> Actor:
    """One of our own principals: sync, pipeline, replicator, importer, cleaner, restorer, or the portal itself."""
    return Actor("system", name, name)
