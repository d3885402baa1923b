"""Take people into a team and let them go: by its maintainers and by platform admins, and only where no identity provider says who
belongs to it."""

from django.db import transaction

from portal.audit.record import record
from portal.http.problem import Problem
from portal.users.accounts import join_team
from portal.users.models import Membership, Team, User

MAINTAINER = Membership.TeamRole.MAINTAINER


def take_in(by: User, team: Team, username: str, *, as_maintainer: bool = False) -> Membership:
    """Put somebody in the team, or change what they are there.

    Raises Problem: 403 not_a_maintainer; 409 ruled_elsewhere, last_maintainer; 422 unknown_person."""
    with transaction.atomic():
        row = _changeable(by, team)
        person = User.objects.filter(username=username.replace("\0", "").strip(), is_active=True).first()
        if person is None:
            raise Problem(
                422, "unknown_person", "There is no active person of this name. User names are as at the login."
            )
        if not as_maintainer:
            _check_others(row, person)
        join_team(by.actor, row, person, as_maintainer=as_maintainer)
    return Membership.objects.select_related("user", "team").get(team=team, user=person)


def let_go(by: User, membership: Membership) -> None:
    """Out of the team. Raises Problem: 403 not_a_maintainer; 409 ruled_elsewhere, last_maintainer."""
    with transaction.atomic():
        row = _changeable(by, membership.team)
        _check_others(row, membership.user)
        if Membership.objects.filter(pk=membership.pk).delete()[0]:
            record(by.actor, "team.left", row, person=membership.user.username)


def may_steer_team(user: User, team: Team) -> bool:
    """Whether somebody says who belongs to it."""
    if not user.is_active:
        return False
    return user.is_platform_admin or Membership.objects.filter(team=team, user=user, role=MAINTAINER).exists()


def _changeable(by: User, team: Team) -> Team:
    """The team's row, locked: of two maintainers who remove each other one comes too late."""
    row = Team.objects.select_for_update().get(pk=team.pk)
    if not may_steer_team(by, row):
        raise Problem(403, "not_a_maintainer", f"Maintainers of team {row} and platform admins say who belongs to it.")
    if row.external_group:
        text = f"The group “{row.external_group}” of the identity provider says who belongs to team {row}. Change it there."
        raise Problem(409, "ruled_elsewhere", text)
    return row


def _check_others(team: Team, person: User) -> None:
    """Somebody has to be left who can say yes and no for the team."""
    maintainers = Membership.objects.filter(team=team, role=MAINTAINER, user__is_active=True)
    if maintainers.filter(user=person).exists() and not maintainers.exclude(user=person).exists():
        raise Problem(
            409, "last_maintainer", f"{person} is the last maintainer of team {team}. Make somebody else one first."
        )
