"""Write down what the token endpoint has counted: a few statements, however much it is."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from json import JSONEncoder
from typing import TYPE_CHECKING, Any

from django.db import connection, models, transaction
from django.utils import timezone

from registries.access.adopt.models import ImportedLogin
from registries.access.counts.record_models import AccessUse, Denial, TokenCount
from registries.access.models import AccessRule, StoredSecret
from registries.topology.models import Registry

if TYPE_CHECKING:
    from registries.access.counts.tally import Asked, Notes

# What somebody shows to be let in.
Usable = StoredSecret | ImportedLogin

_BATCH = 75  # SQLite takes 999 values in a statement where it was built long ago
DENIALS_KEPT = timedelta(days=90)
USES_KEPT = timedelta(days=31)
COUNTS_KEPT = timedelta(days=400)
_encode = JSONEncoder(separators=(",", ":"), default=str).encode
_USE_COLUMNS = (
    "fingerprint", "count", "last_at", "day", "registry_id", "principal", "repository", "asked", "granted", "address", "is_keyless",
)  # fmt: skip


def write_notes(notes: "Notes") -> int:
    """How many rows. They are always taken in the same order, so that two processes never wait for each other in a circle."""
    if not notes:
        return 0
    with transaction.atomic():
        alive = _registries()
        asked = sorted(
            (_fingerprint(key), count, at, *key) for key, (count, at) in notes.asked.items() if key.registry in alive
        )
        _add(AccessUse, ("fingerprint",), _USE_COLUMNS[1:], asked, changing=("last_at",))
        denials = [
            (*key, found.count, found.first_at, found.last_at, found.reason)
            for key, found in sorted(notes.denials.items())
            if key[0] in alive
        ]
        columns = ("count", "first_at", "last_at", "reason")
        _add(Denial, ("registry_id", "principal", "scope", "code"), columns, denials, changing=("last_at", "reason"))
        for model in sorted({model for model, _ in notes.uses}, key=lambda model: model.__name__):
            _used(model, {key: at for (kind, key), at in notes.uses.items() if kind is model})
        _used(AccessRule, notes.rules)
        # Last, for every process writes to the same few rows: none is to wait for all the rest of another's.
        counts = [(*key, count) for key, count in sorted(notes.counts.items()) if key[1] in alive]
        _add(TokenCount, ("hour", "registry_id", "outcome"), ("count",), counts)
    return len(notes.counts) + len(asked) + len(denials) + len(notes.uses) + len(notes.rules)


def _registries() -> set[int]:
    """Keys of those that are there. By hand, for it is asked every fifty requests."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {Registry._meta.db_table}")  # noqa: S608  the name of our own model
        return {int(key) for (key,) in cursor.fetchall()}


def forget_old(now: datetime | None = None) -> int:
    """Denials that did not happen again, uses and counts are gone after their time; how many."""
    now = now or timezone.now()
    return (
        _forget(Denial.objects.filter(last_at__lt=now - DENIALS_KEPT))
        + _forget(AccessUse.objects.filter(day__lt=(now - USES_KEPT).date()))
        + _forget(TokenCount.objects.filter(hour__lt=now - COUNTS_KEPT))
    )


def _forget(rows: models.QuerySet[Any]) -> int:
    """Looked for first: the clock asks every few seconds, and a deletion of nothing is a write all the same."""
    return rows.delete()[0] if rows.exists() else 0


def _fingerprint(key: "Asked") -> str:
    return hashlib.blake2b("\0".join(map(str, key)).encode(), digest_size=16).hexdigest()


def _add(
    model: type[models.Model],
    key: tuple[str, ...],
    columns: tuple[str, ...],
    rows: Sequence[tuple[object, ...]],
    changing: Iterable[str] = (),
) -> None:
    """Add to the rows of their keys, or make them. By hand, because bulk_create() sets on conflict and cannot add."""
    names = (*key, *columns)
    table = model._meta.db_table
    changes = [f"count = {table}.count + excluded.count", *(f"{name} = excluded.{name}" for name in changing)]
    head = f"INSERT INTO {table} ({', '.join(names)})"
    tail = f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(changes)}"
    if rows and connection.vendor == "postgresql":
        # One value, whatever it holds: the statement is the same however many rows there are, so that it is prepared once.
        types = ", ".join(f"{name} {model._meta.get_field(_field(name)).db_type(connection)}" for name in names)
        sql = f"{head} SELECT * FROM json_to_recordset(%s::json) AS row ({types}) {tail}"  # noqa: S608  names and types of our own models
        with connection.cursor() as cursor:
            cursor.execute(sql, [_encode([dict(zip(names, row, strict=True)) for row in rows])])
        return
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        places = ", ".join([f"({', '.join(['%s'] * len(names))})"] * len(batch))
        with connection.cursor() as cursor:
            cursor.execute(f"{head} VALUES {places} {tail}", [_written(value) for row in batch for value in row])


def _field(name: str) -> str:
    return name.removesuffix("_id")


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return connection.ops.adapt_datefield_value(value) if isinstance(value, date) else value


def _used(model: type[Usable] | type[AccessRule], uses: dict[int, datetime]) -> None:
    """For rows that were not used later elsewhere; one update, or where the database has no arrays one for each second. By hand, for
    it is done often."""
    table = model._meta.db_table
    if uses and connection.vendor == "postgresql":
        sql = (
            f"UPDATE {table} SET last_used_at = used.at FROM unnest(%s::bigint[], %s::timestamptz[]) AS used (id, at) "  # noqa: S608
            f"WHERE {table}.id = used.id AND ({table}.last_used_at IS NULL OR {table}.last_used_at < used.at)"
        )
        keys = sorted(uses)
        with connection.cursor() as cursor:
            cursor.execute(sql, [keys, [uses[key].replace(microsecond=0) for key in keys]])
        return
    by_second: dict[datetime, list[int]] = {}
    for key in sorted(uses):
        by_second.setdefault(uses[key].replace(microsecond=0), []).append(key)
    for at, keys in sorted(by_second.items()):
        chosen = ", ".join(str(int(key)) for key in keys)
        sql = f"UPDATE {table} SET last_used_at = %(at)s WHERE id IN ({chosen}) AND (last_used_at IS NULL OR last_used_at < %(at)s)"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(sql, {"at": _written(at)})
