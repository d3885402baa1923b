"""What is a team, and what does it hold? Rows for its page, as far as the reader may see them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet

from portal.users.models import Membership, Team, User
from portal.users.team_members import may_steer_team
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.span import span_of
from registries.access.models import AccessRule, Namespace, RobotAccount, Secret
from registries.access.reviewing.review import in_force, on_names_of, to_review
from registries.access.snapshot import current_snapshot
from registries.topology.models import Registry

RULES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class RobotRow:
    """A robot with its secrets that work, and the next of them to end."""

    robot: RobotAccount
    live: tuple[Secret, ...]

    @property
    def next_end(self) -> datetime | None:
        return min((secret.expires_at for secret in self.live if secret.expires_at), default=None)

    @property
    def sign(self) -> str:
        return "unknown" if not self.robot.is_active else "well" if self.live else "attention"

    @property
    def word(self) -> str:
        if not self.robot.is_active:
            return "retired"
        return f"{len(self.live)} that work{'s' if len(self.live) == 1 else ''}" if self.live else "none that works"


def teams_listed(user: User) -> QuerySet[Team]:
    """Everybody may know whom to ask; who is in it and what it holds is on its page, for those who belong to it."""
    maintainers = Membership.objects.filter(role=Membership.TeamRole.MAINTAINER).select_related("user")
    mine = Membership.objects.filter(team=OuterRef("pk"), user=user)
    return (
        Team.objects.annotate(people=Count("memberships", distinct=True), is_mine=Exists(mine))
        .annotate(robot_count=Count("robots", filter=Q(robots__is_active=True), distinct=True))
        .prefetch_related(Prefetch("memberships", queryset=maintainers, to_attr="maintainers"))
    )


def sees_inside(user: User, team: Team) -> bool:
    """Members, and people with a role."""
    return user.has_role() or Membership.objects.filter(team=team, user=user).exists()


def team_page(user: User, team: Team, now: datetime) -> dict[str, object]:
    """For everybody the maintainers and the names; the rest for those who see inside."""
    memberships = Membership.objects.filter(team=team).select_related("user").order_by("-role", "user__username")
    memberships = memberships.filter(user__is_active=True)
    base = {
        "team": team,
        "maintainers": [row for row in memberships if row.role == Membership.TeamRole.MAINTAINER],
        "names": Namespace.objects.filter(team=team).select_related("zone"),
        "sees_inside": sees_inside(user, team),
        "may_steer": may_steer_team(user, team),
    }
    return base | _inside(team, memberships, now) if base["sees_inside"] else base


def _inside(team: Team, memberships: QuerySet[Membership], now: datetime) -> dict[str, object]:
    about = in_force(AccessRule.objects.filter(is_draft=False), now).filter(
        Q(team=team) | Q(robot__team=team) | on_names_of({team.pk})
    )
    rules = about.select_related("team", "user", "robot", "zone", "registry").order_by("-pk").distinct()
    unused = to_review(about.filter(effect=AccessRule.Effect.ALLOW), now)
    return {
        "memberships": sorted(memberships, key=lambda row: (row.role != "maintainer", row.user.username)),
        "registries": Registry.objects.filter(owner=team).select_related("zone"),
        "robots": robot_rows(team, now),
        "rules": rules[:RULES_SHOWN],
        "rule_count": rules.count(),
        "to_review": unused.distinct().count(),
        "requests": open_requests(team),
    }


def robot_rows(team: Team, now: datetime) -> list[RobotRow]:
    """The active ones first, each with its secrets that work."""
    live = Secret.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)
    robots = RobotAccount.objects.filter(team=team).order_by("-is_active", "name")
    fetched = robots.prefetch_related(Prefetch("secrets", queryset=live, to_attr="live"))
    return [RobotRow(robot, tuple(_live(robot))) for robot in fetched]


def _live(robot: object) -> Iterable[Secret]:
    return getattr(robot, "live", ())


def open_requests(team: Team) -> list[AccessRequest]:
    """What waits for the team's word, and what is asked for it."""
    waiting = AccessRequest.objects.filter(state=AccessRequest.State.WAITING)
    rows = waiting.select_related("requester", "registry", "team", "robot__team")
    policy = current_snapshot().policy
    return [
        row
        for row in rows
        if team.pk in (row.team_id, row.robot.team_id if row.robot else None)
        or span_of(policy, row.registry.zone_id, row.pattern).sole_team == team.pk
    ]
