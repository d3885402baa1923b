"""Who is behind a request of the API, as the operations below want to know it?"""

from typing import Any

from rest_framework.request import Request

from portal.actor import Actor
from portal.http.problem import Problem
from portal.users.models import User
from registries.access.models import RobotAccount


class RobotUser:
    """A robot where Django expects somebody signed in. It holds no role and no session, and is no row of people."""

    is_authenticated = True
    is_active = True
    is_anonymous = False
    is_staff = False
    is_superuser = False
    pk = None

    def __init__(self, robot: RobotAccount) -> None:
        self.robot = robot
        self.username = robot.login

    def __str__(self) -> str:
        return self.username

    def get_username(self) -> str:
        return self.username

    def has_role(self, *roles: str) -> bool:
        return False

    @property
    def actor(self) -> Actor:
        return self.robot.actor


def caller_of(request: Request) -> User | RobotAccount:
    """The person or the robot. Views ask only after the permission classes have let somebody in."""
    user: Any = request.user
    caller: User | RobotAccount = user.robot if isinstance(user, RobotUser) else user
    return caller


def actor_of(request: Request) -> Actor:
    """The caller as the cause of something."""
    return caller_of(request).actor


def person_of(request: Request, what: str) -> User:
    """The person, where robots may not act; raises Problem 403 ``people_only``."""
    caller = caller_of(request)
    if isinstance(caller, RobotAccount):
        raise Problem(403, "people_only", f"{caller} is a robot; {what} is for people.")
    return caller


def require_role(request: Request, *roles: str) -> User:
    """The person, if they hold one of the roles; raises Problem 403 ``role_required``."""
    person = person_of(request, "this")
    if not person.has_role(*roles):
        names = " or ".join(role.replace("_", " ") for role in roles)
        raise Problem(403, "role_required", f"This is for people with the role {names}.")
    return person
