"""Which grants should somebody look at again? What is odd about a rule is a condition on rows, so that lists filter by the very thing
that they say of each row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import BooleanField, Case, Exists, OuterRef, Q, QuerySet, Value, When

from portal.users.models import Membership, Role, User
from registries.access.facts import Whom
from registries.access.keyless.federation_models import FederationRule
from registries.access.models import AccessRule, Namespace, RobotAccount, Secret
from registries.access.reviewing.covered import covered_rules
from registries.access.snapshot import current_snapshot
from registries.topology.models import Registry

UNUSED_DAYS: Final = 90
# A rule that was kept is asked about again after this time.
KEPT_FOR: Final = timedelta(days=90)
FAR: Final = timedelta(days=366)
REVIEWERS: Final = (Role.PLATFORM_ADMIN, Role.SECURITY)
_NONE: Final = Q(pk__in=[])

FINDINGS: Final[Mapping[str, str]] = {
    "never-used": "never used",
    "unused": "not used for long",
    "gone": "for somebody who is gone",
    "no-secret": "its robot has no secret that works",
    "no-end": "without an end",
    "far-end": "ends more than a year from now",
    "covered": "another rule gives as much",
}


@dataclass(frozen=True, slots=True)
class Odd:
    """Something to look at, with its code and in words; ``rule`` is the one that covers it, where one does."""

    code: str
    text: str
    rule: int | None = None


def conditions(now: datetime, days: int = UNUSED_DAYS, covered: Iterable[int] | None = None) -> dict[str, Q]:
    """Code -> which rules it is true of. ``covered`` when it is known already."""
    long_ago = now - timedelta(days=days)
    live = Q(expires_at=None) | Q(expires_at__gt=now)
    secrets = Secret.objects.filter(live, robot=OuterRef("robot"), revoked_at=None)
    keyless = FederationRule.objects.filter(robot=OuterRef("robot"), is_enabled=True)
    robot_gone = Q(robot__is_active=False) | Q(robot__expires_at__lte=now)
    people = Membership.objects.filter(team=OuterRef("team"), user__is_active=True)
    team_empty = Q(team__isnull=False) & ~Q(Exists(people))
    return {
        "never-used": Q(last_used_at=None) & (Q(created_at=None) | Q(created_at__lte=long_ago)),
        "unused": Q(last_used_at__lte=long_ago),
        "gone": Q(user__is_active=False) | robot_gone | team_empty,
        "no-secret": Q(robot__isnull=False) & ~robot_gone & ~Q(Exists(secrets)) & ~Q(Exists(keyless)),
        "no-end": Q(ends_at=None),
        "far-end": Q(ends_at__gt=now + FAR),
        "covered": Q(pk__in=list(covered_now(now) if covered is None else covered)),
    }


def grants_seen_by(user: User) -> QuerySet[AccessRule]:
    """Grants in force or to come: all of them with a role; for maintainers those on their teams' names, for their teams and robots."""
    grants = AccessRule.objects.filter(effect=AccessRule.Effect.ALLOW, is_draft=False)
    rows = grants.select_related("team", "user", "robot__team", "zone", "registry", "reviewed_by")
    return rows if user.has_role() else rows.filter(_of_maintainer(user))


def grants_kept_by(user: User) -> QuerySet[AccessRule]:
    """Of those, the ones that this person may keep and end."""
    rows = grants_seen_by(user)
    return rows if user.has_role(*REVIEWERS) else rows.filter(_of_maintainer(user))


def to_review(
    rows: QuerySet[AccessRule],
    now: datetime,
    days: int = UNUSED_DAYS,
    finding: str = "",
    covered: Iterable[int] | None = None,
) -> QuerySet[AccessRule]:
    """Those that something is odd about, or this very thing, and that were not kept lately."""
    odd = conditions(now, days, covered)
    wanted = odd[finding] if finding in odd else any_of(odd.values())
    return in_force(rows, now).filter(wanted).exclude(reviewed_at__gt=now - KEPT_FOR)


def in_force(rows: QuerySet[AccessRule], now: datetime) -> QuerySet[AccessRule]:
    """Not over yet."""
    return rows.filter(Q(ends_at=None) | Q(ends_at__gt=now))


def with_findings(
    rows: QuerySet[AccessRule], now: datetime, days: int = UNUSED_DAYS, covered: Iterable[int] | None = None
) -> QuerySet[AccessRule]:
    """Rows that know what is odd about them, for findings_of; in the one query that fetches them."""
    flags = {
        _flag(code): Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())
        for code, condition in conditions(now, days, covered).items()
    }
    return rows.annotate(**flags)


def findings_of(row: AccessRule, covered: Mapping[int, int]) -> list[Odd]:
    """What is odd about a row of with_findings."""
    found = [code for code in FINDINGS if getattr(row, _flag(code))]
    return [Odd(code, FINDINGS[code], covered.get(row.pk) if code == "covered" else None) for code in found]


def _flag(code: str) -> str:
    return f"is_{code.replace('-', '_')}_odd"


def is_reviewer(user: User) -> bool:
    """Whether the page has anything for this person: a role, or a team to maintain."""
    return user.has_role() or user.memberships.filter(role=Membership.TeamRole.MAINTAINER).exists()


def any_of(conditions: Iterable[Q]) -> Q:
    found = _NONE
    for condition in conditions:
        found |= condition
    return found


def covered_now(now: datetime) -> dict[int, int]:
    """Rule -> the rule that gives as much."""
    rules = current_snapshot().policy.rules
    robots = {("robot", str(pk)): frozenset({team}) for pk, team in RobotAccount.objects.values_list("pk", "team_id")}
    people: dict[Whom, frozenset[int]] = {}
    for user, team in Membership.objects.values_list("user_id", "team_id"):
        whom = ("user", str(user))
        people[whom] = people.get(whom, frozenset()) | {team}
    return covered_rules(rules, {**robots, **people}, dict(Registry.objects.values_list("pk", "zone_id")), now)


def _of_maintainer(user: User) -> Q:
    teams = set(user.memberships.filter(role=Membership.TeamRole.MAINTAINER).values_list("team_id", flat=True))
    if not teams or not user.is_active:
        return _NONE
    return Q(team__in=teams) | Q(robot__team__in=teams) | on_names_of(teams)


def on_names_of(teams: set[int]) -> Q:
    """Rules whose pattern begins in names of these teams: a prefix inside a prefix takes from it, or gives back."""
    found = _NONE
    rows = Namespace.objects.order_by("zone_id", "prefix").values_list("zone_id", "prefix", "team_id")
    mine = [(zone, prefix) for zone, prefix, team in rows if team in teams]
    for zone, prefix, team in rows:
        is_mine = team in teams
        if is_mine or any(zone == other and prefix.startswith(f"{above}/") for other, above in mine):
            here = (Q(zone=zone) | Q(registry__zone=zone)) & (Q(pattern=prefix) | Q(pattern__prefix=f"{prefix}/"))
            found = found | here if is_mine else found & ~here
    return found
