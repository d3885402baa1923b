"""Who needs a digest, and who is about to delete it? Both ask by the same row, so they can never both win.

A deletion is claimed, and the claim committed, before the DELETE is sent; a hold that comes later is refused, one that came
earlier stops the claim."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.http.problem import Problem
from registries.catalog.models import DigestGuard, Hold
from registries.catalog.store import batched
from registries.oci.digest import Digest

# Longer than any single DELETE with all its retries may take. A claim older than that belongs to a runner that died.
CLAIM_LIFE = timedelta(minutes=30)


class HeldError(Exception):
    """The digest must not be deleted; ``holds`` say why."""

    def __init__(self, digest: Digest, text: str) -> None:
        super().__init__(text)
        self.digest = digest


def place_hold(
    digest: Digest, kind: Hold.Kind | str, reason: str, source: Model, expires_at: datetime | None = None
) -> Hold:
    """Keep a digest from being deleted anywhere, on behalf of ``source``; again with the same source changes the hold.

    Raises Problem 409 ``being_deleted`` when a cleanup has already claimed it."""
    with transaction.atomic():
        guard = _guard(digest)
        if _is_claimed(guard, timezone.now()):
            raise Problem(
                409, "being_deleted", f"{digest} is being deleted by a cleanup right now; it cannot be held any more."
            )
        hold, _ = Hold.objects.update_or_create(
            digest=digest,
            kind=kind,
            source_label=source._meta.label_lower,
            source_key=str(source.pk),
            defaults={"reason": reason[:255], "expires_at": expires_at},
        )
        return hold


def release_holds(source: Model) -> int:
    """Let go of everything ``source`` holds; how many."""
    return Hold.objects.filter(source_label=source._meta.label_lower, source_key=str(source.pk)).delete()[0]


def place_legal_hold(
    actor: Actor, person: Model, digest: Digest, reason: str, expires_at: datetime | None = None
) -> Hold:
    """A hold that a person puts on and takes off; audited."""
    with transaction.atomic():
        hold = place_hold(digest, Hold.Kind.LEGAL, reason, person, expires_at)
        record(actor, "hold.placed", hold, digest=str(digest), reason=reason)
        return hold


def release_hold(actor: Actor, hold: Hold) -> None:
    """Take one hold off; audited."""
    with transaction.atomic():
        record(actor, "hold.released", hold, digest=str(hold.digest), reason=hold.reason)
        hold.delete()


def active_holds(now: datetime) -> QuerySet[Hold]:
    """Holds in force."""
    return Hold.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now))


def held_among(digests: Iterable[Digest], now: datetime) -> dict[Digest, str]:
    """Digest -> reason, for those with a hold in force."""
    return {
        hold.digest: f"{hold.get_kind_display()}: {hold.reason}"
        for some in batched(digests)
        for hold in active_holds(now).filter(digest__in=some).order_by("-id")
    }


def claim_deletion(digest: Digest, job: Model) -> None:
    """Take the right to delete a digest, committed on return. Raises HeldError when a hold or another deletion has it."""
    now = timezone.now()
    with transaction.atomic(durable=True):
        guard = _guard(digest)
        held = held_among([digest], now)
        if digest in held:
            raise HeldError(digest, f"It is held: {held[digest]}.")
        label, key = job._meta.label_lower, str(job.pk)
        if _is_claimed(guard, now) and (guard.deletion_label, guard.deletion_key) != (label, key):
            raise HeldError(digest, "Another cleanup is deleting it.")
        guard.deletion_claimed_at, guard.deletion_label, guard.deletion_key = now, label, key
        guard.save(update_fields=["deletion_claimed_at", "deletion_label", "deletion_key"])


def release_deletions(job: Model, digests: Iterable[Digest] | None = None) -> None:
    """Give claims back once the DELETE was answered; all of a job's when no digest is named."""
    mine = DigestGuard.objects.filter(deletion_label=job._meta.label_lower, deletion_key=str(job.pk))
    if digests is not None:
        mine = mine.filter(digest__in=list(digests))
    mine.update(deletion_claimed_at=None, deletion_label="", deletion_key="")


def _guard(digest: Digest) -> DigestGuard:
    DigestGuard.objects.get_or_create(digest=digest)
    return DigestGuard.objects.select_for_update(no_key=True).get(digest=digest)


def _is_claimed(guard: DigestGuard, now: datetime) -> bool:
    return guard.deletion_claimed_at is not None and guard.deletion_claimed_at > now - CLAIM_LIFE
