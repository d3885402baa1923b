"""Say that an incident may stay as it is, and why; or that it may not after all."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q

from portal.audit.record import record
from portal.users.models import Membership, User
from registries.access.models import Namespace
from registries.access.queries import owner_team
from registries.sentinel.models import Incident

ROLES: Final = ("platform_admin", "security")


class NotAcceptableError(Exception):
    """Why it cannot be accepted, as a sentence for whoever tried."""


def may_accept(user: User, incident: Incident) -> bool:
    """Platform admins, security, and whoever maintains the team that owns the name."""
    if user.has_role(*ROLES):
        return True
    team = owner_team(incident.registry.zone, incident.repository)
    maintains = Membership.objects.filter(user=user, role=Membership.TeamRole.MAINTAINER)
    return user.is_active and team is not None and maintains.filter(team=team).exists()


def accept_incident(user: User, incident: Incident, reason: str, now: datetime) -> None:
    """It stays and is no trouble any more. Raises NotAcceptableError."""
    reason = " ".join(reason.split())
    if not reason:
        raise NotAcceptableError("Say why it may stay; whoever looks later will ask.")
    if not may_accept(user, incident):
        raise NotAcceptableError(
            "It is accepted by a maintainer of the team that owns the name, or by a platform admin."
        )
    with transaction.atomic():
        changed = Incident.objects.filter(pk=incident.pk, state=Incident.State.OPEN).update(
            state=Incident.State.ACCEPTED, accepted_by=user, accepted_at=now, reason=reason[:500]
        )
        if not changed:
            raise NotAcceptableError("It is not open any more.")
        record(user.actor, "incident.accepted", incident, reason=reason[:500])


def reopen_incident(user: User, incident: Incident) -> None:
    """Take an acceptance back. Raises NotAcceptableError."""
    if not may_accept(user, incident):
        raise NotAcceptableError(
            "It is reopened by a maintainer of the team that owns the name, or by a platform admin."
        )
    with transaction.atomic():
        changed = Incident.objects.filter(pk=incident.pk, state=Incident.State.ACCEPTED).update(
            state=Incident.State.OPEN, accepted_by=None, accepted_at=None, reason=""
        )
        if not changed:
            raise NotAcceptableError("It is not accepted.")
        record(user.actor, "incident.reopened", incident)


def maintained_by(user: User) -> Q:
    """A condition on incidents: those in names of teams that somebody maintains, as far as the prefix tells."""
    found = Q(pk__in=[])
    mine = Q(team__memberships__user=user, team__memberships__role=Membership.TeamRole.MAINTAINER)
    for row in Namespace.objects.filter(mine):
        inside = Q(repository=row.prefix) | Q(repository__prefix=f"{row.prefix}/")
        found |= Q(registry__zone=row.zone_id) & inside
    return found
