"""Tell people in time that a credential ends: two weeks, three days and one day before, each once whoever else is at it."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet

from portal.outbox.post import tell
from registries.access.credential.credential_ends import SOURCES, Ending, Source

TOPIC: Final = "credential.expiring"
DAYS: Final = (14, 3, 1)


def warn_of_ends(now: datetime, sources: tuple[Source, ...] = SOURCES) -> int:
    """How many were told of. Where the portal stood still over a threshold, one message says how near the end is by now."""
    return sum(_warn(source, now) for source in sources)


def _warn(source: Source, now: datetime) -> int:
    rows = source.rows(now)
    told, nearer = 0, now
    for days in sorted(DAYS):
        until = now + timedelta(days=days)
        due = rows.filter(expires_at__gt=nearer, expires_at__lte=until)
        _forget_later_ends(due, days)
        told += sum(_tell(source, row, days, now) for row in due.filter(_untold(days)))
        nearer = until
    rows.filter(expires_at__gt=nearer, warned_days__isnull=False).update(warned_days=None)
    return told


def _untold(days: int) -> Q:
    return Q(warned_days=None) | Q(warned_days__gt=days)


def _forget_later_ends(due: QuerySet[Any], days: int) -> None:
    """Whose end was moved away after a warning is told of the next one again; who moved it knows this one."""
    due.filter(warned_days__lt=days).update(warned_days=days)


def _tell(source: Source, row: Any, days: int, now: datetime) -> bool:
    """The mark and the message stand or fall together, and of two who would tell one finds the mark there."""
    mine = type(row)._default_manager.filter(_untold(days), pk=row.pk, expires_at=row.expires_at)
    with transaction.atomic():
        if not mine.update(warned_days=days):
            return False
        ending = source.describe(row, now)
        tell(TOPIC, _title(ending, now), people=ending.people, body=_body(ending), payload=_payload(ending, days))
    return True


def _title(ending: Ending, now: datetime) -> str:
    return f"{ending.what.rstrip(',')} ends {_when(ending.ends_at - now)}"


def _when(left: timedelta) -> str:
    """In whole days, as people count them."""
    days = round(left / timedelta(days=1))
    return "within a day" if days <= 1 else f"in {days} days"


def _body(ending: Ending) -> str:
    lines = [f"{ending.what} works until {ending.ends_at:%A, %d %B %Y, %H:%M} UTC, and is refused from then on."]
    if ending.unused:
        lines += ["", "Nobody has used it for 90 days. If nothing needs it any more, let it end."]
    lines += ["", ending.todo, ending.url, "", f"It is known by {ending.handle}; what it is good for stands there too."]
    return "\n".join(lines)


def _payload(ending: Ending, days: int) -> dict[str, object]:
    return {
        "kind": ending.kind,
        "handle": ending.handle,
        "owner": ending.owner,
        "ends_at": ending.ends_at.isoformat(),
        "days": days,
        "unused": ending.unused,
        "url": ending.url,
    }
