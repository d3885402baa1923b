"""Who plays in the tests of access, and where."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from portal.actor import system
from portal.users.models import Membership, Team, User
from registries.access.credential.credentials import issue_personal_token, issue_robot_secret
from registries.access.models import RobotAccount
from registries.access.signing.keys import ensure_key
from registries.topology.defaults import ZONE_DEFAULTS
from registries.topology.models import Reach, Registry, Zone, ZoneDefault, ZoneKind

ADMIN = system("portal")


def make_zone(kind: str) -> Zone:
    """A zone named after its kind, with the defaults a topology file would give it."""
    zone, is_new = Zone.objects.get_or_create(name=kind, defaults={"kind": kind})
    for line in ZONE_DEFAULTS[kind] if is_new else ():
        audience, action = line.split()
        ZoneDefault.objects.create(zone=zone, audience=audience, action=action)
    return zone


def make_registry(
    name: str, kind: str = "", *, url: str = "", fronts: Registry | None = None, **fields: object
) -> Registry:
    """An enforced registry with a key; ``kind`` follows from the name where it is one."""
    url = url or f"http://{name}.example:5000"
    host = url.split("//")[1]
    values: dict[str, object] = {"reach": Reach.ENFORCED, "base_url": url, "host": host, "service": host, **fields}
    registry = Registry.objects.create(name=name, zone=make_zone(kind or name), fronts=fronts, **values)
    if registry.reach == Reach.ENFORCED:
        ensure_key(registry)
    return registry


def make_team(name: str, *members: User, maintainers: tuple[User, ...] = ()) -> Team:
    team, _ = Team.objects.get_or_create(name=name)
    for user in members:
        Membership.objects.create(team=team, user=user)
    for user in maintainers:
        Membership.objects.create(team=team, user=user, role=Membership.TeamRole.MAINTAINER)
    return team


def make_person(name: str) -> User:
    user = User(username=name, email=f"{name}@example.com")
    user.set_unusable_password()
    user.save()
    return user


def make_robot(name: str, team: Team, kind: str = "ci") -> RobotAccount:
    return RobotAccount.objects.create(name=name, kind=kind, team=team)


@dataclass(frozen=True)
class Login:
    """What somebody types into docker login."""

    username: str
    secret: str


def person_login(user: User) -> Login:
    _, text = issue_personal_token(user.actor, user, "laptop", timezone.now() + timedelta(days=30))
    return Login(user.username, text)


def robot_login(robot: RobotAccount) -> Login:
    _, text = issue_robot_secret(ADMIN, robot, "runner", None)
    return Login(robot.login, text)


ALL_KINDS = tuple(ZoneKind.values)
