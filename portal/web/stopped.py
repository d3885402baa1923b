"""What is stopped, as pages say it: which actions, where, until when, why, and who can let it go on."""

from collections.abc import Iterable
from dataclasses import dataclass

from portal.users.models import User
from registries.access.models import Restriction
from registries.access.restrictions import may_end, stopped_words


@dataclass(frozen=True, slots=True)
class Stopped:
    """``what`` is a beginning of a sentence; ``where`` is empty for all of what the page is about."""

    row: Restriction
    what: str
    where: str
    may_end: bool


def notes_of(viewer: User, rows: Iterable[Restriction]) -> list[Stopped]:
    """One for each restriction."""
    return [Stopped(row, _what(row), _where(row), may_end(viewer, row)) for row in rows]


def _what(row: Restriction) -> str:
    words = stopped_words(row.actions)
    return f"{words[:1].upper()}{words[1:]} are stopped"


def _where(row: Restriction) -> str:
    names = "" if row.pattern == "**" else f" for {row.pattern}"
    return f"{names} at {row.registry}" if row.registry else names
