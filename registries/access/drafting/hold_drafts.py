"""Hold a draft of rules against what was really asked: what would be refused that is allowed now, and what allowed that is refused?

From rows alone, in portions, however many there are. Whoever asked is who they are today: teams of today, robots of today."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import groupby, islice
from typing import Any, Final, NamedTuple

from django.db.models import Count, Max, Sum
from django.utils import timezone

from registries.access.counts.record_models import AccessUse
from registries.access.drafting.policy_change import PolicyChange, change_policy
from registries.access.facts import Place, Policy, Rule
from registries.access.models import AccessRule
from registries.access.principals import ANONYMOUS, Principal
from registries.access.snapshot import current_snapshot, rules_of
from registries.access.who import principals_named

DAYS: Final = 30
MOST_KEPT: Final = 2000
_PORTION: Final = 2000
Progress = Callable[[int, int], None]

UNKNOWN: Final = (
    "What a credential narrows is not in it: a token that is good for less than its owner may be refused either way.",
    "Where strangers are is not written down: rules that hold for networks are tried on them without an address.",
    "Who asked counts as who they are today, with the teams of today, and a draft that begins later as if it had begun.",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One action of one principal on one repository whose verdict would turn. ``rule`` turns it, as far as one does; ``before`` and
    ``after`` are the reasons; ``addresses`` says from how many it was asked."""

    principal: str
    registry: str
    repository: str
    action: str
    is_allowed: bool
    requests: int
    last_at: datetime
    rule: str
    before: str
    after: str
    addresses: int = 1


@dataclass
class Side:
    """What would turn one way: how many requests and how many kinds of them, by whom and by which rule, and the most frequent."""

    requests: int = 0
    kinds: int = 0
    by_principal: Counter[str] = field(default_factory=Counter)
    by_rule: Counter[str] = field(default_factory=Counter)
    rows: list[tuple[int, int, Difference]] = field(default_factory=list)

    def add(self, found: Difference) -> None:
        """Counted in any case; kept as a row while it is among the most frequent."""
        self.requests += found.requests
        self.kinds += 1
        self.by_principal[found.principal] += found.requests
        self.by_rule[found.rule] += found.requests
        entry = (found.requests, -self.kinds, found)
        if len(self.rows) < MOST_KEPT:
            heapq.heappush(self.rows, entry)
        else:
            heapq.heappushpop(self.rows, entry)

    @property
    def sorted_rows(self) -> list[Difference]:
        """The most frequent first."""
        return [found for _, _, found in sorted(self.rows, key=lambda entry: entry[:2], reverse=True)]


@dataclass
class Comparison:
    """``unchanged`` counts requests whose verdict stays, ``gone`` those of principals who are no more or may not sign in. A request for
    two actions counts once for each."""

    since: date
    until: datetime
    refused: Side = field(default_factory=Side)
    allowed: Side = field(default_factory=Side)
    unchanged: int = 0
    gone: int = 0
    gone_names: Counter[str] = field(default_factory=Counter)
    read: int = 0

    @property
    def is_quiet(self) -> bool:
        """Whether nothing would turn."""
        return not (self.refused.kinds or self.allowed.kinds)


def hold_drafts(
    drafts: Sequence[AccessRule],
    without: Sequence[AccessRule] = (),
    *,
    at: datetime | None = None,
    days: int = DAYS,
    progress: Progress | None = None,
) -> Comparison:
    """Compare the policy of now with that of the drafts in force, what they replace ended, and the rules ``without`` left out.

    ``at`` is the moment for which both are asked, now when it is not given. ``progress`` is told how many kinds of requests are done of
    how many, and may raise to stop."""
    at = at or timezone.now()
    snapshot = current_snapshot()
    change = _change(snapshot.policy, drafts, without, at)
    found = Comparison((at - timedelta(days=days)).date(), at)
    rows = AccessUse.objects.filter(day__gte=found.since).exclude(repository="")
    total = rows.aggregate(count=Count("pk"))["count"] if progress else 0
    seen = 0
    for portion in _portions(rows):
        _compare(change, snapshot.places, portion, at, found)
        seen += sum(row.rows for row in portion)
        if progress:
            progress(seen, total)
    return found


class _Row(NamedTuple):
    """One kind of request, as the database adds them up; ``rows`` says from how many of its own."""

    principal: str
    registry_id: int
    repository: str
    asked: str
    address: str
    is_keyless: bool
    requests: int
    last_at: datetime
    rows: int


_KEY = ("principal", "registry_id", "repository", "asked", "address", "is_keyless")


def _portions(rows: Any) -> Iterator[list[_Row]]:
    """The database adds up the days; what belongs to one principal and repository comes together."""
    grouped = rows.order_by(*_KEY).values_list(*_KEY).annotate(Sum("count"), Max("last_at"), Count("pk"))
    each = iter(grouped.iterator(chunk_size=_PORTION))
    held: list[_Row] = []
    while fresh := [_Row(*row) for row in islice(each, _PORTION)]:
        held += fresh
        # What may go on in the next portion is kept for it.
        last = held[-1][:3]
        cut = next((index for index in range(len(held) - 1, -1, -1) if held[index][:3] != last), -1) + 1
        if cut:
            yield held[:cut]
            held = held[cut:]
    if held:
        yield held


def _compare(
    change: PolicyChange, places: Mapping[int, Place], portion: Sequence[_Row], at: datetime, found: Comparison
) -> None:
    known = principals_named({row.principal for row in portion})
    for (name, registry, repository), rows in groupby(portion, key=lambda row: row[:3]):
        principal, place = known.get(name), places.get(registry)
        turned: dict[tuple[str, bool], Difference] = {}
        for row in rows:
            found.read += row.rows
            actions = [action for action in row.asked.split(",") if action]
            if principal is None or place is None:
                found.gone += row.requests * len(actions)
                found.gone_names[name] += row.requests * len(actions)
                continue
            who = (
                replace(principal, address=row.address, is_keyless=row.is_keyless)
                if principal is not ANONYMOUS
                else principal
            )
            for action in actions:
                difference = _differs(change, who, place, repository, action, at, row)
                if difference is None:
                    found.unchanged += row.requests
                    continue
                key = action, difference.is_allowed
                turned[key] = _added(turned[key], difference) if key in turned else difference
        for difference in turned.values():
            (found.allowed if difference.is_allowed else found.refused).add(difference)


def _added(one: Difference, other: Difference) -> Difference:
    return replace(
        one,
        requests=one.requests + other.requests,
        last_at=max(one.last_at, other.last_at),
        addresses=one.addresses + 1,
    )


def _differs(
    change: PolicyChange, who: Principal, place: Place, repository: str, action: str, at: datetime, row: _Row
) -> Difference | None:
    """None where the verdict stays."""
    turned = change.turned(who, place, repository, action, at)
    if turned is None:
        return None
    before, after = turned
    rule = after.rule if after.is_allowed else after.rule or before.rule
    return Difference(
        row.principal, place.name, repository, action, after.is_allowed, row.requests, row.last_at, rule, before.text, after.text
    )  # fmt: skip


def _change(policy: Policy, drafts: Sequence[AccessRule], without: Sequence[AccessRule], at: datetime) -> PolicyChange:
    added = rules_of(AccessRule.objects.filter(pk__in=[row.pk for row in drafts]))
    gone = {row.replaces_id for row in drafts if row.replaces_id} | {row.pk for row in without}
    return change_policy(policy, [_as_rule(rule, at) for rule in added], gone)


def _as_rule(rule: Rule, at: datetime) -> Rule:
    """Told apart from rules that are in force in every sentence; what would begin later is tried as if it had begun."""
    starts_at = rule.starts_at if rule.starts_at is None or rule.starts_at <= at else None
    return replace(rule, label=f"draft of {rule.label}", starts_at=starts_at)


def all_drafts() -> list[AccessRule]:
    """Every draft there is."""
    return list(AccessRule.objects.filter(is_draft=True).order_by("pk"))


def rows_of(found: Comparison) -> Iterable[Difference]:
    """What would be refused first, then what would be allowed."""
    return [*found.refused.sorted_rows, *found.allowed.sorted_rows]
