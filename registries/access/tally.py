"""What the token endpoint has to remember without writing a row for each request: tokens counted, denials, last uses.

Kept in memory and written in one go: by the clock's task, after an answer when it is time, and when the process ends. A crash
loses seconds of counts and nothing else."""

import atexit
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from registries.access.facts import Grant
from registries.access.models import Denial, StoredSecret, TokenCount
from registries.topology.models import Registry

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 10.0
MAX_KEYS = 500
# So many are written at once without waiting for the time: many short writes hold up nobody, a long one does.
PORTION = 50
_BATCH = 150  # SQLite takes 999 values in a statement where it was built long ago
USE_STEP = timedelta(minutes=1)
DENIALS_KEPT = timedelta(days=90)

CountKey = tuple[datetime, int, str, str]
DenialKey = tuple[int, str, str, str]


@dataclass
class Refusal:
    """One thing refused: how often since the last write."""

    reason: str
    first_at: datetime
    last_at: datetime
    count: int = 1


@dataclass
class Notes:
    """What is not written yet."""

    counts: Counter[CountKey] = field(default_factory=Counter)
    denials: dict[DenialKey, Refusal] = field(default_factory=dict)
    uses: dict[tuple[type[StoredSecret], int], datetime] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.counts or self.denials or self.uses)


class Tally:
    """Thread-safe. ``MAX_KEYS`` bounds what strangers can make us keep."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notes = Notes()
        self._flushed_at = time.monotonic()
        self._shown: dict[DenialKey, float] = {}
        self._is_urgent = False

    def note_token(self, registry_key: int, principal: str, outcome: str, now: datetime) -> None:
        """``outcome``: issued, narrowed or refused."""
        key = (now.replace(minute=0, second=0, microsecond=0), registry_key, principal[:80], outcome)
        with self._lock:
            if key in self._notes.counts or len(self._notes.counts) < MAX_KEYS:
                self._notes.counts[key] += 1
            self._is_urgent |= len(self._notes.counts) >= PORTION

    def note_denials(self, registry_key: int, principal: str, grants: Iterable[Grant], now: datetime) -> None:
        """Each refused action with its reason; one not seen lately is written right after the answer."""
        for grant in grants:
            for verdict in grant.refused:
                scope = f"{grant.scope.type}:{grant.scope.name}:{verdict.action}"
                self._note_denial(
                    (registry_key, principal[:80], scope[:300], verdict.code[:40]), verdict.text[:500], now
                )

    def note_use(self, model: type[StoredSecret], key: int, now: datetime) -> None:
        """Last use. For whoever sees that the one noted is older than USE_STEP."""
        with self._lock:
            self._notes.uses[model, key] = now.replace(microsecond=0)

    def flush_if_due(self) -> None:
        """Called when an answer is out."""
        if self._is_urgent or time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> int:
        """Write what is kept; how many rows. What cannot be written now is kept for the next time."""
        notes = self.take()
        try:
            return _write(notes)
        except DatabaseError as error:
            logger.warning("Counts of tokens could not be written (%s); they are kept.", error)
            self._take_back(notes)
            return 0

    def take(self) -> Notes:
        """What is kept; from here on it is the caller's."""
        with self._lock:
            notes, self._notes = self._notes, Notes()
            self._flushed_at, self._is_urgent = time.monotonic(), False
        return notes

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
            self._notes.denials = {**notes.denials, **self._notes.denials}
            self._notes.uses = {**notes.uses, **self._notes.uses}


tally = Tally()


def flush_at_exit() -> None:
    """Once per process, from AppConfig.ready()."""
    atexit.register(_flush_quietly)


def _flush_quietly() -> None:
    """Nobody is there any more to read of a database that is gone."""
    with suppress(DatabaseError):
        _write(tally.take())


def _write(notes: Notes) -> int:
    """A few statements, however much it is. Rows are always taken in the same order, so that two processes never wait for each other
    in a circle."""
    if not notes:
        return 0
    with transaction.atomic():
        alive = set(Registry.objects.values_list("pk", flat=True))
        counts = [(*key, count) for key, count in sorted(notes.counts.items()) if key[1] in alive]
        _add(TokenCount, ("hour", "registry_id", "principal", "outcome"), ("count",), counts)
        denials = [
            (*key, found.count, found.first_at, found.last_at, found.reason)
            for key, found in sorted(notes.denials.items())
            if key[0] in alive
        ]
        columns = ("count", "first_at", "last_at", "reason")
        _add(Denial, ("registry_id", "principal", "scope", "code"), columns, denials)
        for model in {model for model, _ in notes.uses}:
            _used(model, {key: at for (kind, key), at in notes.uses.items() if kind is model})
    return len(notes.counts) + len(notes.denials) + len(notes.uses)


def _add(
    model: type[models.Model], key: tuple[str, ...], columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]
) -> None:
    """Add to the rows of their keys, or make them. By hand, because bulk_create() sets on conflict and cannot add."""
    table, names = model._meta.db_table, (*key, *columns)
    changes = [f"{name} = excluded.{name}" for name in columns if name not in ("count", "first_at")]
    changes.append(f"count = {table}.count + excluded.count")
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        places = ", ".join([f"({', '.join(['%s'] * len(names))})"] * len(batch))
        sql = (
            f"INSERT INTO {table} ({', '.join(names)}) VALUES {places} "  # noqa: S608  names of our own models
            f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(changes)}"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [_written(value) for row in batch for value in row])


def _written(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _used(model: type[StoredSecret], uses: dict[int, datetime]) -> None:
    """One update for each second, for secrets that were not used later elsewhere. By hand, for it is done often."""
    by_second: dict[datetime, list[int]] = {}
    for key in sorted(uses):
        by_second.setdefault(uses[key], []).append(key)
    table = model._meta.db_table
    for at, keys in sorted(by_second.items()):
        chosen = ", ".join(str(int(key)) for key in keys)
        sql = f"UPDATE {table} SET last_used_at = %(at)s WHERE id IN ({chosen}) AND (last_used_at IS NULL OR last_used_at < %(at)s)"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(sql, {"at": _written(at)})


def forget_old_denials(now: datetime | None = None) -> int:
    """Denials that did not happen again for DENIALS_KEPT are gone; how many."""
    limit = (now or timezone.now()) - DENIALS_KEPT
    if not Denial.objects.filter(last_at__lt=limit).exists():
        return 0
    return Denial.objects.filter(last_at__lt=limit).delete()[0]
