"""Is the record whole? Walks the chain of seals and the signed checkpoints; reads everything, changes nothing."""

from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise

import rfc8785
from cryptography.exceptions import InvalidSignature
from django.db.models import Max, Min

from portal.audit.models import AuditCheckpoint, AuditEvent, AuditSeal
from portal.audit.seal import BATCH, CHECKPOINT_EVERY, GENESIS, REACH_BACK, link_hash, signing_keys, statement

# An event may be committed after later ones were sealed; no transaction of ours stays open for this long.
LONGEST_TRANSACTION = timedelta(hours=1)


@dataclass(frozen=True)
class Verification:
    """``sealed`` events proved, ``unsealed`` at the tail, ``findings`` sentences about what is wrong (none: the record is whole)."""

    sealed: int
    unsealed: int
    checkpoints: int
    findings: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        return not self.findings


def verify_record() -> Verification:
    """Check every seal, checkpoint and unsealed event."""
    # Read first: one that is signed while we walk is left for the next time.
    points = list(AuditCheckpoint.objects.order_by("sequence"))
    wanted = {point.sequence for point in points}
    findings: list[str] = []
    hashes_at: dict[int, str] = {}
    count = last = 0
    for finding, seal in _walk():
        count, last = count + 1, seal.sequence
        findings += finding
        if seal.sequence in wanted:
            hashes_at[seal.sequence] = seal.hash
    findings += _check_distances(points, last)
    findings += [finding for point in points for finding in _check_checkpoint(point, hashes_at)]
    findings += _check_unsealed()
    unsealed = AuditEvent.objects.exclude(pk__in=AuditSeal.objects.values("event_id")).count()
    return Verification(count, unsealed, len(points), tuple(findings))


def _walk() -> Iterator[tuple[list[str], AuditSeal]]:
    previous, expected, newest = GENESIS, 1, 0
    for seals in _batches(AuditSeal.objects.order_by("sequence").iterator(chunk_size=BATCH)):
        events = AuditEvent.objects.in_bulk([seal.event_id for seal in seals])
        for seal in seals:
            event = events.get(seal.event_id)
            finding = _judge(seal, event, previous, expected)
            if not finding and event and event.pk < newest:
                finding = _judge_latecomer(event, seal.sequence)
            yield ([finding] if finding else []), seal
            previous, expected, newest = seal.hash, seal.sequence + 1, max(newest, seal.event_id)


def _judge(seal: AuditSeal, event: AuditEvent | None, previous: str, expected: int) -> str:
    if seal.sequence != expected:
        return f"Seals {expected} to {seal.sequence - 1} are missing."
    if event is None:
        return f"Event {seal.event_id}, sealed as number {seal.sequence}, has been removed."
    if seal.previous_hash != previous:
        return f"Seal {seal.sequence} does not follow from the seal before it."
    if not _fits(seal, event, previous):
        return f"Event {seal.event_id} ({event.verb}) has been changed since it was sealed as number {seal.sequence}."
    return ""


def _fits(seal: AuditSeal, event: AuditEvent, previous: str) -> bool:
    try:
        return link_hash(seal.sequence, previous, event) == seal.hash
    except rfc8785.CanonicalizationError:
        return False


def _judge_latecomer(event: AuditEvent, before: int | None = None) -> str:
    """An event older by id than one sealed before it was under way at that moment, or it was slipped in afterwards."""
    later = AuditSeal.objects.filter(event_id__gt=event.pk)
    if before is not None:
        later = later.filter(sequence__lt=before)
    missed_at: datetime | None = later.aggregate(at=Min("sealed_at"))["at"]
    if missed_at is None or event.at > missed_at - LONGEST_TRANSACTION:
        return ""
    return (
        f"Event {event.pk} ({event.verb}) was slipped in: it says {event.at:%Y-%m-%d %H:%M:%S} UTC, "
        f"but was not there when later events were sealed at {missed_at:%Y-%m-%d %H:%M:%S} UTC."
    )


def _check_unsealed() -> list[str]:
    newest = AuditSeal.objects.aggregate(newest=Max("event_id"))["newest"] or 0
    behind = AuditEvent.objects.filter(pk__lt=newest).exclude(pk__in=AuditSeal.objects.values("event_id"))
    findings = []
    for event in behind.order_by("pk").iterator(chunk_size=BATCH):
        if event.pk <= newest - REACH_BACK:
            findings.append(f"Event {event.pk} ({event.verb}) has no seal and lies too far back to get one.")
        elif finding := _judge_latecomer(event):
            findings.append(finding)
    return findings


def _check_distances(points: Sequence[AuditCheckpoint], last: int) -> list[str]:
    """The sealer signs its first batch and then at least this often; where it seems not to have, checkpoints were taken away."""
    if last and not points:
        return ["There are seals and no signed checkpoint; all of them are missing."]
    places = [0, *(point.sequence for point in points), last]
    return [
        f"Signed checkpoints between {before} and {after} are missing."
        for before, after in pairwise(places)
        if after - before > CHECKPOINT_EVERY + BATCH
    ]


def _check_checkpoint(point: AuditCheckpoint, hashes_at: dict[int, str]) -> Iterator[str]:
    if hashes_at.get(point.sequence) != point.hash:
        yield f"The chain does not have the hash that was signed at {point.sequence}."
    key = dict(signing_keys()).get(point.key_id)
    if key is None:
        yield f"Checkpoint {point.sequence} was signed with a key that PORTAL_ENCRYPTION_KEYS no longer has."
        return
    try:
        key.public_key().verify(b64decode(point.signature), statement(point.sequence, point.hash, point.signed_at))
    except (InvalidSignature, ValueError):
        yield f"Checkpoint {point.sequence} has a signature that is not ours."


def _batches(seals: Iterable[AuditSeal]) -> Iterator[list[AuditSeal]]:
    rest = iter(seals)
    while batch := list(islice(rest, BATCH)):
        yield batch
