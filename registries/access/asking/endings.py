"""Grants that end, requests that nobody decided, and rules that ended long ago: what the clock does about them."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from portal.actor import system
from portal.audit.models import AuditEvent
from portal.audit.record import record
from portal.users.models import Membership, User
from registries.access.asking.request_decisions import lapse_request
from registries.access.asking.request_models import AccessRequest
from registries.access.asking.request_news import tell_of_ending
from registries.access.models import AccessRule

CLOCK: Final = system("portal")
# Days before the end at which the holder is told.
TOLD_AT: Final = (3, 1)
# Ended rules that were granted on request stay this long, so that reviews and pages can still speak of them.
KEPT: Final = timedelta(days=90)
_TOLD: Final = "accessrule.ending_told"


def mind_grants(now: datetime) -> int:
    """All of it; how many rows were touched. Safe to run twice."""
    due = AccessRequest.objects.filter(state=AccessRequest.State.WAITING, ends_at__lte=now)
    lapsed = sum(lapse_request(CLOCK, request, now) for request in due)
    told = sum(_warn(rule, now) for rule in ending_soon(now))
    return lapsed + told + sum(_remove(rule, now) for rule in _long_ended(now))


def ending_soon(now: datetime) -> QuerySet[AccessRule]:
    """Grants to somebody that end within three days and are not renewed yet."""
    rows = AccessRule.objects.filter(
        effect=AccessRule.Effect.ALLOW, is_draft=False, ends_at__gt=now, ends_at__lte=now + timedelta(days=max(TOLD_AT))
    )
    return rows.exclude(user=None, team=None, robot=None)


def _warn(rule: AccessRule, now: datetime) -> bool:
    """Once for three days and once for one; what was told is in the record, and counts for the end it was told of."""
    with transaction.atomic():
        row = AccessRule.objects.select_for_update(of=("self",)).filter(pk=rule.pk).first()
        if row is None or row.ends_at is None or row.ends_at <= now:
            return False
        days = min(days for days in TOLD_AT if row.ends_at - now <= timedelta(days=days))
        if _was_told(row, days):
            return False
        request = AccessRequest.objects.filter(rule=row).select_related("requester").first()
        people = holders_of_rule(row, request)
        tell_of_ending(row, request, people, days)
        names = [person.username for person in people]
        record(CLOCK, _TOLD, row, days=days, ends_at=row.ends_at.isoformat(), people=names)
    return True


def _was_told(rule: AccessRule, days: int) -> bool:
    told = AuditEvent.objects.filter(object_label=rule._meta.label_lower, object_key=str(rule.pk), verb=_TOLD)
    ends_at = rule.ends_at.isoformat() if rule.ends_at else ""
    return any(event.detail["days"] <= days and event.detail["ends_at"] == ends_at for event in told)


def holders_of_rule(rule: AccessRule, request: AccessRequest | None) -> list[User]:
    """Who would miss it: the person; of a team or a robot's team whoever asked, and the maintainers."""
    if rule.user is not None:
        return [rule.user] if rule.user.is_active else []
    team = rule.robot.team_id if rule.robot else rule.team_id
    people = User.objects.filter(
        is_active=True, memberships__team=team, memberships__role=Membership.TeamRole.MAINTAINER
    )
    asked = [request.requester] if request and request.requester.is_active else []
    return list(dict.fromkeys([*asked, *people.order_by("username")]))


def _long_ended(now: datetime) -> QuerySet[AccessRule]:
    return AccessRule.objects.filter(request__isnull=False, ends_at__lt=now - KEPT)


def _remove(rule: AccessRule, now: datetime) -> bool:
    """The request keeps what was granted in its decision and in the record."""
    with transaction.atomic():
        row = AccessRule.objects.select_for_update(of=("self",)).filter(pk=rule.pk, ends_at__lt=now - KEPT).first()
        if row is None:
            return False
        record(CLOCK, "accessrule.removed", row, ended=str(row.ends_at), reason=row.reason)
        row.delete()
    return True
