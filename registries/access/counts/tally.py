"""What the token endpoint has to remember without writing a row for each request: tokens counted, what was asked, denials, last uses.

Kept in memory and written in one go by :mod:`registries.access.counts.tally_rows`: by the clock's task, after an answer when it is
time (by a thread of its own where there is one, see :mod:`registries.access.counts.writer`), and when the process ends. A crash loses
seconds of counts and nothing else."""

import atexit
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import Error as AnyDatabaseError

from registries.access.counts.tally_rows import Usable, write_notes
from registries.access.facts import Grant
from registries.access.principals import Principal

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 10.0
MAX_KEYS = 2000
MAX_RULES = 100_000
# So many are written at once without waiting for the time: many short writes hold up nobody, a long one does.
PORTION = 200
USE_STEP = timedelta(minutes=1)
_ORDER = ("pull", "push", "delete")

CountKey = tuple[datetime, int, str]
DenialKey = tuple[int, str, str, str]


class Asked(NamedTuple):
    """What tells one row of use from another."""

    day: date
    registry: int
    principal: str
    repository: str
    asked: str
    granted: str
    address: str
    is_keyless: bool


@dataclass
class Refusal:
    """One thing refused: how often since the last write."""

    reason: str
    first_at: datetime
    last_at: datetime
    count: int = 1


@dataclass
class Notes:
    """What is not written yet. ``asked`` holds a count and the last time, ``rules`` the last time an access rule let somebody in."""

    counts: Counter[CountKey] = field(default_factory=Counter)
    asked: dict[Asked, tuple[int, datetime]] = field(default_factory=dict)
    denials: dict[DenialKey, Refusal] = field(default_factory=dict)
    uses: dict[tuple[type[Usable], int], datetime] = field(default_factory=dict)
    rules: dict[int, datetime] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.counts or self.asked or self.denials or self.uses or self.rules)


class Tally:
    """Thread-safe. ``MAX_KEYS`` bounds what strangers can make us keep."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notes = Notes()
        self._flushed_at = time.monotonic()
        self._shown: dict[DenialKey, float] = {}
        self._rule_days: dict[int, date] = {}
        self._is_urgent = False
        self._wake: Callable[[], None] | None = None

    def note_token(
        self, registry_key: int, principal: Principal, grants: Sequence[Grant], outcome: str, now: datetime
    ) -> None:
        """``outcome``: issued or narrowed. What our own jobs ask is counted, and listed nowhere: their rows of work say more."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        with self._lock:
            self._count((hour, registry_key, outcome))
            if principal.kind == "system":
                return
            for key in _asked(registry_key, principal, grants, now.date()):
                self._note_asked(key, now)
            for grant in grants:
                for verdict in grant.verdicts:
                    if verdict.rule_key and self._rule_days.get(verdict.rule_key) != now.date():
                        self._note_rule(verdict.rule_key, now)
            self._is_urgent |= len(self._notes.asked) >= PORTION

    def note_refused(self, registry_key: int, now: datetime) -> None:
        """A login with a wrong secret; whose it was meant to be is not known."""
        with self._lock:
            self._count((now.replace(minute=0, second=0, microsecond=0), registry_key, "refused"))

    def note_denials(self, registry_key: int, principal: str, grants: Iterable[Grant], now: datetime) -> None:
        """Each refused action with its reason; one not seen lately is written right after the answer."""
        for grant in grants:
            for verdict in grant.refused:
                scope = f"{grant.scope.type}:{grant.scope.name}:{verdict.action}"
                self._note_denial(
                    (registry_key, principal[:80], scope[:300], verdict.code[:40]), verdict.text[:500], now
                )

    def note_use(self, model: type[Usable], key: int, now: datetime) -> None:
        """Last use. For whoever sees that the one noted is older than USE_STEP."""
        with self._lock:
            self._notes.uses[model, key] = now.replace(microsecond=0)

    def flush_if_due(self) -> None:
        """Called when an answer is out."""
        if self._is_urgent or time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            if self._wake is not None:
                self._wake()
            else:
                self.flush()

    def write_by(self, wake: Callable[[], None]) -> None:
        """From here on somebody else calls ``flush``, whenever they are woken."""
        self._wake = wake

    def flush(self) -> int:
        """Write what is kept; how many rows. What cannot be written now is kept for the next time."""
        notes = self.take()
        try:
            return write_notes(notes)
        except AnyDatabaseError as error:
            logger.warning("Counts of tokens could not be written (%s); they are kept.", error)
            self._take_back(notes)
            return 0

    def take(self) -> Notes:
        """What is kept; from here on it is the caller's."""
        with self._lock:
            notes, self._notes = self._notes, Notes()
            self._flushed_at, self._is_urgent = time.monotonic(), False
        return notes

    def _count(self, key: CountKey) -> None:
        if key in self._notes.counts or len(self._notes.counts) < MAX_KEYS:
            self._notes.counts[key] += 1

    def _note_asked(self, key: Asked, now: datetime) -> None:
        count, _ = self._notes.asked.get(key, (0, now))
        if count or len(self._notes.asked) < MAX_KEYS:
            self._notes.asked[key] = count + 1, now

    def _note_rule(self, key: int, now: datetime) -> None:
        """Once a day and process is enough: the row holds a time that people read in days."""
        if len(self._notes.rules) < MAX_KEYS:
            self._notes.rules[key] = now
            if len(self._rule_days) >= MAX_RULES:
                self._rule_days.clear()
            self._rule_days[key] = now.date()

    def _note_denial(self, key: DenialKey, reason: str, now: datetime) -> None:
        clock = time.monotonic()
        with self._lock:
            known = self._notes.denials.get(key)
            if known is not None:
                known.count, known.last_at = known.count + 1, now
            elif len(self._notes.denials) < MAX_KEYS:
                self._notes.denials[key] = Refusal(reason, now, now)
            if clock - self._shown.get(key, -FLUSH_SECONDS) >= FLUSH_SECONDS and len(self._shown) < MAX_KEYS:
                self._shown[key], self._is_urgent = clock, True
            elif len(self._shown) >= MAX_KEYS:
                self._shown = {shown: at for shown, at in self._shown.items() if clock - at < FLUSH_SECONDS}

    def _take_back(self, notes: Notes) -> None:
        with self._lock:
            if len(self._notes.counts) < MAX_KEYS:
                self._notes.counts.update(notes.counts)
            if len(self._notes.asked) < MAX_KEYS:
                for key, (count, at) in notes.asked.items():
                    newer, last = self._notes.asked.get(key, (0, at))
                    self._notes.asked[key] = count + newer, max(at, last)
            self._notes.denials = {**notes.denials, **self._notes.denials}
            self._notes.uses = {**notes.uses, **self._notes.uses}
            self._notes.rules = {**notes.rules, **self._notes.rules}


def _asked(registry_key: int, principal: Principal, grants: Sequence[Grant], day: date) -> Iterable[Asked]:
    """A row for each repository that was asked for; one without a repository where none was, as ``docker login`` does."""
    name, address = principal.name[:80] or "anonymous", principal.address if principal.is_signed_in else ""
    named = [grant for grant in grants if grant.scope.type == "repository" and not grant.scope.is_nameless]
    for grant in named:
        asked = [verdict.action for verdict in grant.verdicts if verdict.action in _ORDER]
        granted = ",".join(verdict.action for verdict in grant.verdicts if verdict.is_allowed)
        yield Asked(
            day, registry_key, name, grant.scope.name[:255], ",".join(asked), granted, address, principal.is_keyless
        )
    if not grants:
        yield Asked(day, registry_key, name, "", "", "", address, principal.is_keyless)


tally = Tally()


def flush_at_exit() -> None:
    """Once per process, from AppConfig.ready()."""
    atexit.register(_flush_quietly)


def _flush_quietly() -> None:
    """Nobody is there any more to read of a database that is gone."""
    with suppress(AnyDatabaseError):
        write_notes(tally.take())
