"""Who can change what would have to change? By name, as far as a few names are of use."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from portal.users.models import Membership, Role, Team, User
from registries.access.explaining.changes import ADMINS, NOBODY, OWNERS, SELF, Changes

MOST_NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody to turn to: what they are, a few by name, how many more there are, and where they are reached."""

    who: str
    names: tuple[str, ...] = ()
    more: int = 0
    contact: str = ""

    def __str__(self) -> str:
        names = ", ".join(self.names) + (f" and {self.more} more" if self.more else "")
        return "; ".join(part for part in (f"{self.who}: {names}" if names else self.who, self.contact) if part)


def whom_to_ask(changes: Changes, hard_rule: str, owner: Team | None) -> tuple[Asked, ...]:
    """For everything that would have to change. ``hard_rule`` names the rule that nobody changes, empty where none decided."""
    needed = {by for change in (*changes.all_of, *changes.one_of) for by in change.by}
    found: list[Asked] = []
    if hard_rule:
        found.append(Asked(f"{NOBODY}: {hard_rule}"))
    if OWNERS in needed and owner is not None:
        found.append(_maintainers(owner))
    if ADMINS in needed:
        admins = User.objects.filter(Q(role_grants__role=Role.PLATFORM_ADMIN) | Q(is_superuser=True), is_active=True)
        found.append(
            _named("platform admins", admins.distinct().order_by("username").values_list("username", flat=True))
        )
    if SELF in needed:
        found.append(Asked("the one who asks"))
    return tuple(found)


def _maintainers(team: Team) -> Asked:
    rows = Membership.objects.filter(team=team, role=Membership.TeamRole.MAINTAINER, user__is_active=True)
    names = rows.order_by("user__username").values_list("user__username", flat=True)
    return _named(f"maintainers of team {team}", names, team.contact)


def _named(who: str, names: Iterable[str], contact: str = "") -> Asked:
    listed = list(names)
    if not listed:
        return Asked(f"{who}, of whom there are none yet", contact=contact)
    return Asked(who, tuple(listed[:MOST_NAMED]), max(0, len(listed) - MOST_NAMED), contact)
