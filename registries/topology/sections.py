"""Which parts does a topology file have? Each part is a section: named entries with flat fields, read, compared and applied alike.

Upper floors register sections of their own (rules, paths, policies), so that one file can describe a whole installation and nothing
here needs to know them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from portal.actor import Actor

Values = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """One field of an entry: what it may hold, and what holds when the file does not say."""

    kind: type | tuple[type, ...]
    default: Any = None
    is_required: bool = False
    choices: Sequence[str] = ()


class Section(Protocol):
    """``current`` and the file give the same shape, key -> values, so that a plan is a comparison."""

    name: str
    fields: Mapping[str, Field]

    def complete(self, key: str, values: Values) -> Values:
        """Fill in what follows from other fields; raises ValueError with a sentence."""
        ...

    def rank(self, values: Values) -> int:
        """Lower ranks are applied first: what others point at comes before them."""
        ...

    def current(self) -> dict[str, Values]:
        """What is there now."""
        ...

    def apply(self, actor: Actor, key: str, values: Values) -> None:
        """Make one entry so. Raises ValidationError."""
        ...


_sections: dict[str, Callable[[], Section]] = {}


def register_section(name: str, make: Callable[[], Section]) -> None:
    """Add a section; sections are read and applied in order of registration."""
    _sections[name] = make


def all_sections() -> list[Section]:
    """One fresh instance of each."""
    return [make() for make in _sections.values()]
