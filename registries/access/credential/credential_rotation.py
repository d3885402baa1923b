"""Put a new secret in the place of an old one, which goes on for a while: so that nothing stands still while it is exchanged."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.users.models import User
from registries.access.credential.credentials import Narrowing, revoke_secret
from registries.access.credential.issuing import (
    Issued,
    IssueRefusedError,
    Owner,
    Wanted,
    issue_wanted,
    lock_owner,
    refuse_repeats,
)
from registries.access.credential.narrowing import narrowing_of, widened
from registries.access.credential.secret_state import Stored, alive
from registries.access.models import Secret

LONGEST_OVERLAP: Final = timedelta(days=30)


def owner_of(stored: Stored) -> Owner:
    """The robot or the person."""
    return stored.robot if isinstance(stored, Secret) else stored.user


def replace_secret(
    actor: Actor, old: Stored, wanted: Wanted, overlap: timedelta, shown_to: User | None = None
) -> Issued:
    """A new one, and the old one ends after ``overlap``, never later than it would have ended anyway. Of two who replace the same
    one, the second is told of the first. Raises IssueRefusedError."""
    owner = owner_of(old)
    with transaction.atomic():
        lock_owner(owner)
        refuse_repeats(owner, wanted.once)
        now = timezone.now()
        mine: Any = type(old)._default_manager.select_for_update().filter(pk=old.pk).get()
        _check_replaceable(mine, now)
        issued = issue_wanted(actor, owner, wanted, shown_to, replaces=mine)
        ends = _end(actor, mine, now, min(max(overlap, timedelta()), LONGEST_OVERLAP))
        verb = f"{mine._meta.model_name}.replaced"
        record(actor, verb, mine, handle=mine.handle, by=issued.stored.handle, works_until=ends.isoformat())
    return issued


def renew_own(secret: Secret, asked: Wanted, overlap: timedelta) -> Issued:
    """What a robot does with a secret of its own: a successor that is good for no more and no longer. Raises IssueRefusedError."""
    if secret.is_keyless:
        text = "This credential was made for one CI job and ends within minutes; it makes none that last. Exchange the next job's token."
        raise IssueRefusedError("keyless", text)
    wider = list(widened(asked.narrowing, narrowing_of(secret)))
    if wider:
        raise WiderError(wider)
    with transaction.atomic():
        lock_owner(secret.robot)
        limit = longest_life(secret)
        now = timezone.now()
        if limit is not None and (asked.expires_at is None or asked.expires_at > now + limit + timedelta(minutes=1)):
            days = round(limit / timedelta(days=1), 1)
            raise WiderError([("expires_at", f"it lives {days:g} days at most, as the one it replaces")])
        return replace_secret(secret.robot.actor, secret, asked, overlap)


class WiderError(IssueRefusedError):
    """A robot asked for more than it has. ``findings`` are pairs of field and sentence."""

    def __init__(self, findings: Iterable[tuple[str, str]]) -> None:
        self.findings = tuple(findings)
        said = "; ".join(text for _, text in self.findings)
        super().__init__("wider", f"A robot's own secret is good for no more than the one it replaces: {said}.")


def longest_life(old: Stored) -> timedelta | None:
    """How long a successor may live: as long as the old one did when it was issued; None for ever. What it was replaced by tells,
    for a replaced one ends early."""
    rows: Any = type(old)._default_manager.filter(replaces=old.pk)
    lives = [life_of(row) for row in (old, *rows)]
    return None if None in lives else max(life for life in lives if life is not None)


def life_of(stored: Stored) -> timedelta | None:
    """From its issue to its end, in whole seconds; None for one without an end."""
    if stored.expires_at is None:
        return None
    return timedelta(seconds=round((stored.expires_at - stored.created_at).total_seconds()))


def same_again(old: Stored, now: datetime, **changes: Any) -> Wanted:
    """What a successor is, where nothing else is asked for: the same name, life and narrowing."""
    life = longest_life(old)
    narrowing: Narrowing = narrowing_of(old)
    return replace(Wanted(old.name, now + life if life is not None else None, narrowing), **changes)


def _check_replaceable(old: Any, now: datetime) -> None:
    if isinstance(old, Secret) and old.is_keyless:
        raise IssueRefusedError("keyless", "This one was made for a CI job, which gets another with its next token.")
    if not old.is_live(now):
        raise IssueRefusedError(
            "has_ended", f"{old.handle} works no more, so there is nothing to replace. Issue a new one."
        )
    successor = type(old)._default_manager.filter(alive(now), replaces=old.pk).first()
    if successor is not None:
        text = f"{old.handle} was replaced by {successor.handle} already. Where that one was lost, revoke it and replace again."
        raise IssueRefusedError("already_replaced", text, successor.handle)


def _end(actor: Actor, old: Any, now: datetime, overlap: timedelta) -> datetime:
    """When the old one ends from here on."""
    if not overlap:
        revoke_secret(actor, old)
        return now
    ends: datetime = min(now + overlap, old.expires_at or now + overlap)
    type(old)._default_manager.filter(pk=old.pk).update(expires_at=ends)
    old.expires_at = ends
    return ends
