"""Pure: who stands in an htpasswd file? Read as CNCF Distribution reads it: lines with blanks round them cut off, ``#`` begins a
comment, the name ends at the first colon, the last line of a name counts. It checks bcrypt hashes and no others."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

MAX_FILE_BYTES: Final = 8 * 1024 * 1024
# Where Distribution's own reader stops.
MAX_LINE_BYTES: Final = 64 * 1024
MAX_NAME: Final = 255
# Each step doubles the work of one login: 15 is some seconds of a processor.
MAX_COST: Final = 14
_BCRYPT: Final = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}", re.ASCII)
_CRYPT: Final = re.compile(r"[./A-Za-z0-9]{13}", re.ASCII)
_KINDS: Final = (
    ("$apr1$", "MD5"), ("$1$", "MD5"), ("{SHA}", "SHA-1"), ("{SSHA}", "salted SHA-1"), ("$5$", "SHA-256"), ("$6$", "SHA-512"),
    ("$argon2", "Argon2"), ("$2x$", "a flawed kind of bcrypt"), ("$2", "a broken bcrypt hash"),
)  # fmt: skip


class NoHtpasswdError(ValueError):
    """What was given is no htpasswd file; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A name with its bcrypt hash; ``line`` counts from one."""

    line: int
    username: str
    password_hash: str = field(repr=False)
    cost: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """A line that cannot be imported, and why. Never with what it holds behind the colon."""

    line: int
    username: str
    reason: str


@dataclass(frozen=True, slots=True)
class Htpasswd:
    """``entries`` are those that count, each name once, in the order of the file."""

    entries: tuple[Entry, ...]
    unusable: tuple[Unusable, ...]


def read_htpasswd(data: bytes) -> Htpasswd:
    """The whole file. Raises NoHtpasswdError where nothing in it looks like one."""
    if len(data) > MAX_FILE_BYTES:
        raise NoHtpasswdError(f"The file is larger than {MAX_FILE_BYTES >> 20} MiB; no htpasswd file is.")
    entries: dict[str, Entry] = {}
    unusable: list[Unusable] = []
    is_one = False
    for number, text in _lines(data):
        is_one |= bool(_kind_of(text.partition(":")[2]))
        found = _read_line(number, text)
        if isinstance(found, Unusable):
            unusable.append(found)
            continue
        earlier = entries.pop(found.username, None)
        if earlier is not None:
            reason = f"the name stands again in line {number}, and the last line counts"
            unusable.append(Unusable(earlier.line, earlier.username, reason))
        entries[found.username] = found
    if not is_one:
        raise NoHtpasswdError("This is no htpasswd file: no line of it has a name, a colon and the hash of a password.")
    return Htpasswd(tuple(entries.values()), tuple(sorted(unusable, key=lambda row: row.line)))


def _lines(data: bytes) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if len(line) > MAX_LINE_BYTES:
            line = line[:MAX_LINE_BYTES]  # noqa: PLW2901  it is told as unusable below, by its length
        text = line.decode("utf-8", "surrogateescape").strip()
        if text and not text.startswith("#"):
            yield number, text


def _read_line(number: int, text: str) -> Entry | Unusable:
    username, colon, password_hash = text.partition(":")
    if not colon:
        return Unusable(number, "", "there is no colon; the registry itself refuses a file with such a line")
    shown = username if username.isprintable() else ""
    fault = _name_fault(username)
    match = _BCRYPT.fullmatch(password_hash)
    if fault or match is None:
        return Unusable(number, shown[:MAX_NAME], fault or _hash_fault(password_hash))
    cost = int(match[1])
    if not 4 <= cost <= MAX_COST:
        reason = f"its bcrypt cost is {cost}; more than {MAX_COST} would take seconds of a processor at each login"
        return Unusable(number, shown, reason)
    return Entry(number, username, password_hash, cost)


def _name_fault(username: str) -> str:
    if not username:
        return "the name is empty"
    if len(username) > MAX_NAME:
        return f"the name is longer than {MAX_NAME} characters"
    if not username.isprintable():
        return "the name has characters that cannot be printed"
    return ""


def _hash_fault(password_hash: str) -> str:
    kind = _kind_of(password_hash) or "no hash that we know"
    return f"its password is kept as {kind}; the registry takes bcrypt alone, so this login does not work today either"


def _kind_of(password_hash: str) -> str:
    """How a password is kept, by how the hash begins; empty for what is no hash."""
    found = next((name for start, name in _KINDS if password_hash.startswith(start)), "")
    return found or ("crypt" if _CRYPT.fullmatch(password_hash) else "")
