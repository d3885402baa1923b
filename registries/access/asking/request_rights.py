"""Who may see a request for access, and who may decide about it?

The maintainers of the one team that owns the names, and platform admins by a role that was granted: being a superuser makes nobody a
decider, and nobody decides about what they ask for."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from portal.users.models import Membership, Role, User
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.span import Span, span_of
from registries.access.snapshot import current_snapshot

MAINTAINER = Membership.TeamRole.MAINTAINER


@dataclass(frozen=True, slots=True)
class Right:
    """Whether somebody may decide, and the sentence that says by what, or why not and who can."""

    may_decide: bool
    sentence: str


def requests() -> QuerySet[AccessRequest]:
    """With everything that pages and mails say of them."""
    return AccessRequest.objects.select_related(
        "requester", "robot__team", "team", "registry__zone", "registry__fronts", "decided_by", "rule"
    )


def span_of_request(request: AccessRequest) -> Span:
    """Whose names it is about, as things are now."""
    return span_of(current_snapshot().policy, request.registry.zone_id, request.pattern)


def deciders_of(request: AccessRequest) -> list[User]:
    """Who may decide now: the owning team's maintainers; platform admins where no team owns all names, or no maintainer is left."""
    team = span_of_request(request).sole_team
    people = User.objects.filter(is_active=True).exclude(pk=request.requester_id)
    maintainers = people.filter(memberships__team=team, memberships__role=MAINTAINER) if team is not None else []
    return list(maintainers) or list(people.filter(role_grants__role=Role.PLATFORM_ADMIN))


def right_to_decide(user: User, request: AccessRequest) -> Right:
    """For the page; the operation asks for itself, on the row it has locked."""
    span = span_of_request(request)
    if user.pk == request.requester_id:
        return Right(False, f"You asked for this, so somebody else decides. {span.sentence}")
    if not user.is_active:
        return Right(False, "This account is closed.")
    if span.sole_team is not None and _maintains(user, span.sole_team):
        return Right(True, f"You decide as a maintainer of team {span.owners[0].team}, which owns the names.")
    if is_platform_admin(user):
        return Right(True, "You decide as a platform admin.")
    lead = "Being a superuser makes nobody a decider. " if user.is_superuser else ""
    return Right(False, f"{lead}{span.sentence}")


def is_platform_admin(user: User) -> bool:
    """By a role that was granted."""
    return user.is_active and Role.PLATFORM_ADMIN in user.granted_role_names


def requests_seen_by(user: User) -> QuerySet[AccessRequest]:
    """All of them with a role; else one's own, those for one's teams and their robots, and those one may decide."""
    if user.has_role():
        return requests()
    teams = user.memberships.values("team")
    mine = Q(requester=user) | Q(team__in=teams) | Q(robot__team__in=teams)
    return requests().filter(mine | Q(pk__in=_about_names_of(user, AccessRequest.objects.exclude(requester=user))))


def waiting_for(user: User) -> QuerySet[AccessRequest]:
    """Undecided requests that this person may decide, the first asked first."""
    waiting = requests().filter(state=AccessRequest.State.WAITING).exclude(requester=user).order_by("pk")
    if not waiting.exists():
        return waiting.none()
    if is_platform_admin(user):
        return waiting
    return waiting.filter(pk__in=_about_names_of(user, waiting))


def _about_names_of(user: User, rows: QuerySet[AccessRequest]) -> list[int]:
    """Of these, the ones whose names belong to one team that the person maintains."""
    maintained = set(user.memberships.filter(role=MAINTAINER).values_list("team_id", flat=True))
    if not maintained or not user.is_active:
        return []
    policy = current_snapshot().policy
    near = Q(pk__in=[])
    for (zone, prefix), owner in policy.owners.items():
        if owner.team_id in maintained:
            near |= Q(registry__zone=zone) & (Q(pattern=prefix) | Q(pattern__prefix=f"{prefix}/"))
    asked = rows.filter(near).order_by().values_list("pk", "registry__zone_id", "pattern")
    return [pk for pk, zone, pattern in asked if span_of(policy, zone, pattern).sole_team in maintained]


def _maintains(user: User, team: int) -> bool:
    return user.memberships.filter(team=team, role=MAINTAINER).exists()
