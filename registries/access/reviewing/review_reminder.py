"""Once a quarter: tell those who have grants to look at that they have."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.db import transaction

from portal.actor import system
from portal.audit.models import AuditEvent
from portal.audit.record import record
from portal.outbox.post import tell
from portal.users.models import Membership, Role, User
from registries.access.reviewing.review import covered_now, grants_kept_by, to_review

_TOLD: Final = "accessreview.reminded"


def quarter_start(now: datetime) -> datetime:
    """The first moment of the quarter."""
    return datetime(now.year, 3 * ((now.month - 1) // 3) + 1, 1, tzinfo=UTC)


def remind_reviewers(now: datetime) -> int:
    """Maintainers and platform admins with open items, each once per quarter; how many were told."""
    people = _people_to_ask(now)
    covered = covered_now(now) if people else {}
    return sum(_remind(person, now, covered) for person in people)


def _people_to_ask(now: datetime) -> list[User]:
    told = AuditEvent.objects.filter(verb=_TOLD, at__gte=quarter_start(now)).values_list("object_key", flat=True)
    maintainers = Membership.objects.filter(role=Membership.TeamRole.MAINTAINER).values("user")
    people = User.objects.filter(is_active=True)
    rows = people.filter(pk__in=maintainers) | people.filter(role_grants__role=Role.PLATFORM_ADMIN)
    return list(rows.exclude(pk__in=[int(key) for key in told]).distinct().order_by("pk"))


def _remind(person: User, now: datetime, covered: Iterable[int]) -> bool:
    count = to_review(grants_kept_by(person), now, covered=covered).distinct().count()
    if not count:
        return False
    page = f"{settings.PORTAL_BASE_URL}/access/review/"
    title = f"Access to look at again: {count} {'grant' if count == 1 else 'grants'}"
    body = f"{title}.\n\nNobody used them for long, they have no end, or they are for somebody who is gone.\nKeep them or let them end: {page}"
    with transaction.atomic():
        # Of two clocks that strike at once, the second waits here and finds that it was done.
        User.objects.select_for_update().get(pk=person.pk)
        told = AuditEvent.objects.filter(verb=_TOLD, object_key=str(person.pk), at__gte=quarter_start(now))
        if told.exists():
            return False
        tell(
            "access_review.due",
            title,
            people=[person],
            body=body,
            payload={"person": person.username, "count": count, "url": page},
        )
        record(system("portal"), _TOLD, person, count=count)
    return True
