"""Keep a grant, or let it end. Ending is all that a review can do: nothing here gives anybody more than they had."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from portal.audit.record import record
from portal.http.problem import Problem
from portal.users.models import User
from registries.access.models import AccessRule
from registries.access.reviewing.review import grants_kept_by, in_force

Change = Callable[[User, AccessRule], None]


def keep_grants(user: User, keys: Iterable[int]) -> list[AccessRule]:
    """Looked at and wanted; asked about again after 90 days. Which they were."""
    return _each(user, keys, _keep)


def end_grants(user: User, keys: Iterable[int], at: datetime | None = None) -> list[AccessRule]:
    """At a moment, or now; those that end sooner anyway stay as they are. Raises Problem 422 bad_end for a moment that is past."""
    now = timezone.now()
    if at is not None and at <= now:
        raise Problem(422, "bad_end", "This moment is past. End it now, or name a later one.")
    return _each(user, keys, lambda who, row: _end(who, row, at or now))


def _each(user: User, keys: Iterable[int], change: Change) -> list[AccessRule]:
    """Each on the row itself: what is not there and what is not this person's to change look alike, and are left alone."""
    done = []
    wanted = sorted(set(keys))
    with transaction.atomic():
        mine = set(in_force(grants_kept_by(user), timezone.now()).filter(pk__in=wanted).values_list("pk", flat=True))
        for row in AccessRule.objects.select_for_update(of=("self",)).filter(pk__in=mine).order_by("pk"):
            change(user, row)
            done.append(row)
    return done


def _keep(user: User, row: AccessRule) -> None:
    row.reviewed_at, row.reviewed_by = timezone.now(), user
    # Nothing that decides about access has changed, so no cache of the policy is to be read anew.
    AccessRule.objects.filter(pk=row.pk).update(reviewed_at=row.reviewed_at, reviewed_by=user)
    record(user.actor, "accessrule.kept", row)


def _end(user: User, row: AccessRule, at: datetime) -> None:
    if row.ends_at is not None and row.ends_at <= at:
        return
    before = row.ends_at
    row.ends_at, row.reviewed_at, row.reviewed_by = at, timezone.now(), user
    if row.starts_at is not None and row.starts_at >= at:
        row.starts_at = None
    row.save(update_fields=["ends_at", "starts_at", "reviewed_at", "reviewed_by"])
    record(user.actor, "accessrule.ended", row, ends_at=at.isoformat(), before=before.isoformat() if before else "")
