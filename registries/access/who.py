"""From rows to principals: who is this person, this robot, this name?"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from portal.users.models import Membership, User
from registries.access.models import RobotAccount
from registries.access.principals import ANONYMOUS, Principal, system_principal

ROBOT_PREFIX = "robot."
SYSTEM_PREFIX = "system:"


class UnknownPrincipalError(LookupError):
    """Nobody of that name; the sentence says how names are written."""


def principal_of(subject: User | RobotAccount) -> Principal:
    """A person with the teams of this moment, or a robot with its team."""
    return _of_robot(subject) if isinstance(subject, RobotAccount) else _of_person(subject)


def find_principal(who: str) -> Principal:
    """``alice``, ``robot.payments-ci``, ``system:pipeline`` or ``anonymous``. Raises UnknownPrincipalError."""
    if who == "anonymous":
        return ANONYMOUS
    try:
        if who.startswith(SYSTEM_PREFIX):
            return system_principal(who.removeprefix(SYSTEM_PREFIX))
        if who.startswith(ROBOT_PREFIX):
            return _of_robot(RobotAccount.objects.get(name=who.removeprefix(ROBOT_PREFIX)))
        return _of_person(User.objects.get(username=who))
    except (User.DoesNotExist, RobotAccount.DoesNotExist) as error:
        raise UnknownPrincipalError(
            f"There is nobody named {who!r}. Write a user name, robot.<name>, system:<principal> or anonymous."
        ) from error
    except ValueError as error:
        raise UnknownPrincipalError(str(error)) from error


def principals_named(names: Iterable[str]) -> dict[str, Principal]:
    """Those of the names who can sign in today, with the teams of today; in a few queries for however many. Others are left out."""
    wanted = set(names)
    robots = [name.removeprefix(ROBOT_PREFIX) for name in wanted if name.startswith(ROBOT_PREFIX)]
    alive = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    found = {
        robot.login: _of_robot(robot) for robot in RobotAccount.objects.filter(alive, name__in=robots, is_active=True)
    }
    people = dict(User.objects.filter(username__in=wanted, is_active=True).values_list("pk", "username"))
    roles: dict[int, list[tuple[int, str]]] = {}
    for user, team, role in Membership.objects.filter(user__in=people).values_list("user_id", "team_id", "role"):
        roles.setdefault(user, []).append((team, role))
    found |= {name: person_principal(key, name, roles.get(key, ())) for key, name in people.items()}
    if "anonymous" in wanted:
        found["anonymous"] = ANONYMOUS
    return found


@dataclass(frozen=True, slots=True)
class Shown:
    """The credential that was shown, as far as it decides: what it is good for, where the client is, whether it is keyless."""

    pattern: str = ""
    actions: str = ""
    registries: str = ""
    networks: str = ""
    is_keyless: bool = False
    address: str = ""


def person_principal(key: int, username: str, roles: Iterable[tuple[int, str]], shown: Shown = Shown()) -> Principal:
    """``roles`` by team."""
    held = dict(roles)
    maintained = frozenset(team for team, role in held.items() if role == Membership.TeamRole.MAINTAINER)
    return Principal(
        "user", str(key), username, "", frozenset(held), maintained, shown.pattern, shown.actions, shown.registries,
        shown.networks, shown.address,
    )  # fmt: skip


def robot_principal(key: int, name: str, kind: str, team: int, shown: Shown = Shown()) -> Principal:
    """``name`` without its prefix."""
    return Principal(
        "robot", str(key), f"{ROBOT_PREFIX}{name}", kind, frozenset({team}), frozenset(), shown.pattern, shown.actions,
        shown.registries, shown.networks, shown.address, shown.is_keyless,
    )  # fmt: skip


def _of_person(user: User) -> Principal:
    roles = Membership.objects.filter(user=user).values_list("team_id", "role")
    return person_principal(user.pk, user.username, roles)


def _of_robot(robot: RobotAccount) -> Principal:
    return robot_principal(robot.pk, robot.name, robot.kind, robot.team_id)
