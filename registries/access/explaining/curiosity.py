"""Who may ask about whose access? One answer for the pages, the API and the admin.

Everybody may ask about themselves, about strangers and about the robots of their teams; who maintains a team about its members, for
they decide what these ask for; people with a role about anybody. The command line is the operator's and asks nobody."""

from django.db.models import QuerySet

from portal.users.models import Membership, User
from registries.access.models import RobotAccount
from registries.access.principals import SYSTEM_PRINCIPALS
from registries.access.who import ROBOT_PREFIX, SYSTEM_PREFIX

ANONYMOUS_NAME = "anonymous"
MOST_OFFERED = 200
REFUSAL = (
    "You may ask about yourself, about strangers, about the robots of your teams and, where you maintain a team, about its members; "
    "people with a role ask about anybody."
)


def may_ask_about(viewer: User | RobotAccount, who: str) -> bool:
    """Whether the one who looks may ask about somebody; who is not there is nobody's business either."""
    if isinstance(viewer, RobotAccount):
        return who in (viewer.login, ANONYMOUS_NAME)
    if viewer.has_role() or who in (viewer.username, ANONYMOUS_NAME):
        return True
    if who.startswith(ROBOT_PREFIX):
        return RobotAccount.objects.filter(team__memberships__user=viewer, name=who.removeprefix(ROBOT_PREFIX)).exists()
    return _led(viewer).filter(user__username=who).exists()


def names_to_ask_about(viewer: User) -> list[str]:
    """For completion: whom this person may ask about, themselves first; of many only some."""
    people, robots = User.objects.filter(is_active=True), RobotAccount.objects.filter(is_active=True)
    ours = [f"{SYSTEM_PREFIX}{name}" for name in SYSTEM_PRINCIPALS] if viewer.has_role() else []
    if not viewer.has_role():
        people = people.filter(pk__in=_led(viewer).values("user"))
        robots = robots.filter(team__memberships__user=viewer)
    others = people.exclude(pk=viewer.pk).order_by("username").values_list("username", flat=True)[:MOST_OFFERED]
    logins = [robot.login for robot in robots.only("name").order_by("name")[:MOST_OFFERED]]
    return [viewer.username, *others, *logins, *ours, ANONYMOUS_NAME]


def _led(viewer: User) -> QuerySet[Membership]:
    """Memberships in teams that this person maintains."""
    led = Membership.objects.filter(user=viewer, role=Membership.TeamRole.MAINTAINER).values("team")
    return Membership.objects.filter(team__in=led)
