"""Pure: what a whole log says, rolled up while its lines pass. However long the log, what is kept is bounded.

A log may tell each request twice, in the registry's own words and as an access log. The two are counted apart, and the one that names
more of the requests counts."""

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from registries.access.adopt.log_lines import (
    Answered,
    Authorized,
    Named,
    Refused,
    Request,
    Source,
    WrongLogin,
    read_line,
)

MAX_ROWS: Final = 20_000
MAX_OPEN: Final = 20_000
MAX_WRONG: Final = 1_000


class Key(NamedTuple):
    """What tells one row from another. ``username`` is None where the log names nobody."""

    username: str | None
    address: str
    action: str
    repository: str
    is_mount: bool = False


@dataclass(slots=True)
class Seen:
    """How often, and from when to when."""

    count: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None

    def add(self, at: datetime | None) -> None:
        self.count += 1
        if at is not None:
            self.first_at = at if self.first_at is None else min(self.first_at, at)
            self.last_at = at if self.last_at is None else max(self.last_at, at)


@dataclass
class _Telling:
    """One of the two ways in which a log tells of requests."""

    rows: dict[Key, Seen] = field(default_factory=dict)
    requests: int = 0
    named: int = 0
    left_out: int = 0

    def add(self, request: Request) -> None:
        self.requests += 1
        self.named += request.username is not None
        self._count(Key(request.username, request.address, request.action, request.repository), request.at)
        if request.mounted_from:
            self._count(Key(request.username, request.address, "pull", request.mounted_from, True), request.at)

    def _count(self, key: Key, at: datetime | None) -> None:
        """Where there are too many rows, addresses are told apart no more; then new rows are left out and counted."""
        known = self.rows.get(key)
        if known is None and len(self.rows) >= MAX_ROWS // 2:
            key = key._replace(address="")
            known = self.rows.get(key)
        if known is None:
            if len(self.rows) >= MAX_ROWS:
                self.left_out += 1
                return
            known = self.rows[key] = Seen()
        known.add(at)


@dataclass
class Sightings:
    """Give it lines, then ask for ``rows``."""

    lines: int = 0
    not_understood: int = 0
    refused: int = 0
    has_logins: bool = False
    wrong_logins: Counter[str] = field(default_factory=Counter)
    odd_lines: list[str] = field(default_factory=list)
    _tellings: dict[Source, _Telling] = field(default_factory=lambda: {"application": _Telling(), "access": _Telling()})
    _open: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def read(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self._read(line)

    def _read(self, line: bytes) -> None:
        self.lines += 1
        said = read_line(line)
        if said is None:
            self._note_odd(line)
        elif isinstance(said, Answered):
            self._answered(said.request_id, said.request)
        elif isinstance(said, Request):
            self._tellings[said.source].add(said)
        elif isinstance(said, Named):
            self._named(said)
        elif isinstance(said, Refused):
            self.refused += 1
        elif isinstance(said, Authorized | WrongLogin):
            self.has_logins = True
            if isinstance(said, WrongLogin):
                self._note_wrong(said.username)

    def _note_odd(self, line: bytes) -> None:
        self.not_understood += 1
        if len(self.odd_lines) < 3:
            text = line[:200].decode("utf-8", "replace").strip()
            self.odd_lines.append("".join(each if each.isprintable() else "\ufffd" for each in text))

    def _note_wrong(self, username: str) -> None:
        if username in self.wrong_logins or len(self.wrong_logins) < MAX_WRONG:
            self.wrong_logins[username] += 1

    def _named(self, said: Named) -> None:
        """Remembered until its answer comes; what is never answered gives way."""
        self._open[said.request_id] = said.username
        if len(self._open) > MAX_OPEN:
            self._open.popitem(last=False)

    def _answered(self, request_id: str, request: Request) -> None:
        """Named by a line that came before, where its own does not."""
        username = self._open.pop(request_id, None)
        if request.username is None and username is not None:
            request = Request(
                request.source, username, request.address, request.action, request.repository, request.at, request.mounted_from
            )  # fmt: skip
        self._tellings[request.source].add(request)

    @property
    def source(self) -> Source:
        """Which of the two tellings counts."""
        application, access = self._tellings["application"], self._tellings["access"]
        is_better = (access.named, access.requests) > (application.named, application.requests)
        return "access" if is_better else "application"

    @property
    def rows(self) -> dict[Key, Seen]:
        return self._telling.rows

    @property
    def requests(self) -> int:
        return self._telling.requests

    @property
    def named(self) -> int:
        return self._telling.named

    @property
    def left_out(self) -> int:
        """Requests for which there was no room for a row of their own."""
        return self._telling.left_out

    @property
    def knows_strangers(self) -> bool:
        """Whether a request without a name was a stranger's: the log names people elsewhere and says nothing of logins without names."""
        if self.source == "access":
            return self.named > 0
        return not self.has_logins and self.requests > 0

    @property
    def _telling(self) -> _Telling:
        return self._tellings[self.source]
