"""What is handed to somebody who sets up a client: files with their places, and what to know beside them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientFile:
    """``path`` is where it lies below the folder that is written, ``target`` where the program looks for it."""

    path: str
    target: str
    text: str
    is_secret: bool = False

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence or two; ``code`` is what to type or to add somewhere."""

    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class ClientSetup:
    """Everything for one client."""

    client: str
    title: str
    files: tuple[ClientFile, ...]
    notes: tuple[Note, ...]


def for_whom(location: str) -> str:
    """The end of a heading."""
    return f"for clients at {location}" if location else "for every registry under its own name"
