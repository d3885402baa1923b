"""From rows to principals: who is this person, this robot, this name?"""

from datetime import datetime

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


def is_closed(subject: User | RobotAccount, now: datetime) -> bool:
    """Whether the account can be used no more: closed by somebody, or past its end."""
    if isinstance(subject, RobotAccount) and subject.expires_at is not None and subject.expires_at <= now:
        return True
    return not subject.is_active


def _of_person(user: User) -> Principal:
    rows = dict(Membership.objects.filter(user=user).values_list("team_id", "role"))
    maintained = frozenset(team for team, role in rows.items() if role == Membership.TeamRole.MAINTAINER)
    return Principal("user", str(user.pk), user.username, team_ids=frozenset(rows), maintains=maintained)


def _of_robot(robot: RobotAccount) -> Principal:
    return Principal("robot", str(robot.pk), robot.login, robot.kind, frozenset({robot.team_id}))
