"""How often was something tried within a minute? One row for each key and minute, shared by all processes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from registries.access.keyless.federation_models import AttemptCount

KEPT: Final = timedelta(minutes=5)
_SQL: Final = """
INSERT INTO access_attemptcount (key, minute, count) VALUES (%s, %s, 1)
ON CONFLICT (key, minute) DO UPDATE SET count = access_attemptcount.count + 1 RETURNING count"""


def count_attempt(key: str, now: datetime) -> int:
    """One more; how many it were in this minute, this one among them."""
    minute = connection.ops.adapt_datetimefield_value(now.replace(second=0, microsecond=0))
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [key[:80], minute])
        return int(cursor.fetchone()[0])


def attempts_of(keys: Sequence[str], now: datetime) -> dict[str, int]:
    """How many there were in this minute, without counting one more."""
    minute = now.replace(second=0, microsecond=0)
    return dict(AttemptCount.objects.filter(minute=minute, key__in=keys).values_list("key", "count"))


def seconds_left(now: datetime) -> int:
    """Until the minute is over and counting begins anew; at least one."""
    return max(1, 60 - now.second)


def forget_old_attempts(now: datetime) -> None:
    """Counts of past minutes."""
    AttemptCount.objects.filter(minute__lt=now - KEPT).delete()
