"""How much is asked of a registry: tokens by hour and by day, drawn as bars and told as a table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from registries.access.counts.record_models import TokenCount
from registries.topology.models import Registry

HOURS: Final = 24
DAYS: Final = 14
HEIGHT: Final = 44.0
STEP: Final = 10.0
OUTCOMES: Final = ("issued", "narrowed", "refused")


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour or day: its words, its counts, and its parts from below as (outcome, y, height)."""

    title: str
    issued: int
    narrowed: int
    refused: int
    x: float
    parts: tuple[tuple[str, float, float], ...]

    @property
    def total(self) -> int:
        return self.issued + self.narrowed + self.refused


@dataclass(frozen=True, slots=True)
class Requests:
    """The last day by hours, the last two weeks by days, and the sums of the latter."""

    hours: tuple[Bar, ...]
    days: tuple[Bar, ...]
    issued: int
    narrowed: int
    refused: int

    def __bool__(self) -> bool:
        return bool(self.issued or self.narrowed or self.refused)


def requests_of(registry: Registry, now: datetime | None = None) -> Requests:
    """From the rows of the last two weeks, at most one for each hour and outcome."""
    now = (now or timezone.now()).replace(minute=0, second=0, microsecond=0)
    first_day = now.replace(hour=0) - timedelta(days=DAYS - 1)
    by_hour: Counter[tuple[datetime, str]] = Counter()
    by_day: Counter[tuple[datetime, str]] = Counter()
    rows = TokenCount.objects.filter(registry=registry, hour__gte=first_day).order_by()
    for hour, outcome, count in rows.values_list("hour", "outcome", "count"):
        by_hour[hour, outcome] += count
        by_day[hour.replace(hour=0), outcome] += count
    hours = [now - timedelta(hours=back) for back in reversed(range(HOURS))]
    days = [first_day + timedelta(days=number) for number in range(DAYS)]
    sums = [sum(by_day[day, outcome] for day in days) for outcome in OUTCOMES]
    return Requests(_bars(hours, by_hour, "%H:00"), _bars(days, by_day, "%-d %b"), *sums)


def _bars(moments: Sequence[datetime], counts: Counter[tuple[datetime, str]], form: str) -> tuple[Bar, ...]:
    most = max((sum(counts[moment, outcome] for outcome in OUTCOMES) for moment in moments), default=0) or 1
    found = []
    for number, moment in enumerate(moments):
        values = tuple(counts[moment, outcome] for outcome in OUTCOMES)
        parts, top = [], HEIGHT
        for outcome, value in zip(OUTCOMES, values, strict=True):
            height = HEIGHT * value / most
            top -= height
            if value:
                parts.append((outcome, top, height))
        issued, narrowed, refused = values
        found.append(Bar(moment.strftime(form), issued, narrowed, refused, number * STEP, tuple(parts)))
    return tuple(found)
