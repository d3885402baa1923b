"""Chain what has been committed, and prove later that nothing was changed, removed or slipped in.

A seal's hash is SHA-256 over ``portreeve-audit-1``, the sequence, the previous hash and the event's canonical JSON (RFC 8785),
joined by NUL. Checkpoints sign a hash with Ed25519, the key derived by HKDF from an encryption key that is not in the database."""

import hashlib
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from portal.audit.models import AuditCheckpoint, AuditEvent, AuditSeal

GENESIS = "0" * 64
BATCH = 500
CHECKPOINT_EVERY = 1000
REACH_BACK = 20_000


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


def event_body(event: AuditEvent) -> dict[str, Any]:
    """What of an event is sealed: all of it."""
    return {
        "id": event.pk,
        "at": event.at.isoformat(),
        "verb": event.verb,
        "actor": [event.actor_kind, event.actor_key, event.actor_name],
        "object": [event.object_label, event.object_key, event.object_name],
        "detail": event.detail,
        "request_id": event.request_id,
    }


def link_hash(sequence: int, previous: str, event: AuditEvent) -> str:
    """The hash of one link."""
    parts = (b"portreeve-audit-1", str(sequence).encode(), previous.encode(), rfc8785.dumps(event_body(event)))
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def seal_committed(now: datetime | None = None) -> int:
    """Seal all committed events that have none yet, in order of id; how many were sealed. Safe to run twice at once."""
    sealed = 0
    while count := _seal_batch(now or timezone.now()):
        sealed += count
    return sealed


def _seal_batch(now: datetime) -> int:
    with transaction.atomic():
        last = AuditSeal.objects.select_for_update().order_by("-sequence").first()
        sequence, previous = (last.sequence, last.hash) if last else (0, GENESIS)
        events = list(_unsealed().order_by("pk")[:BATCH])
        seals = []
        for event in events:
            sequence += 1
            digest = link_hash(sequence, previous, event)
            seals.append(
                AuditSeal(sequence=sequence, event_id=event.pk, previous_hash=previous, hash=digest, sealed_at=now)
            )
            previous = digest
        # Two sealers at once meet at the unique sequence: one of them fails whole and tries again later.
        AuditSeal.objects.bulk_create(seals)
        if seals:
            _sign_if_due(sequence, previous, now)
    return len(seals)


def _unsealed() -> QuerySet[AuditEvent]:
    """Events without a seal. A transaction may commit after later ids were sealed, so the look reaches back, but not for ever."""
    newest = AuditSeal.objects.aggregate(newest=Max("event_id"))["newest"] or 0
    return AuditEvent.objects.filter(pk__gt=newest - REACH_BACK).exclude(
        pk__in=AuditSeal.objects.filter(event_id__gt=newest - REACH_BACK).values("event_id")
    )


def _sign_if_due(sequence: int, digest: str, now: datetime) -> None:
    last = AuditCheckpoint.objects.order_by("-sequence").first()
    if last and sequence - last.sequence < CHECKPOINT_EVERY and (now - last.signed_at).total_seconds() < 3600:
        return
    key_id, key = _keys()[0]
    signature = b64encode(key.sign(_statement(sequence, digest, now))).decode()
    AuditCheckpoint.objects.create(sequence=sequence, hash=digest, signed_at=now, key_id=key_id, signature=signature)


def _statement(sequence: int, digest: str, at: datetime) -> bytes:
    return f"portreeve-checkpoint-1\0{sequence}\0{digest}\0{at.isoformat()}".encode()


def _keys() -> list[tuple[str, Ed25519PrivateKey]]:
    """Signing keys, newest first, with a short id of their public half."""
    found = []
    for secret in settings.PORTAL_ENCRYPTION_KEYS:
        seed = HKDF(hashes.SHA256(), 32, None, b"portreeve audit checkpoint").derive(urlsafe_b64decode(secret))
        key = Ed25519PrivateKey.from_private_bytes(seed)
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        found.append((hashlib.sha256(raw).hexdigest()[:16], key))
    return found


def verify_record() -> Verification:
    """Walk the whole chain; reads everything, changes nothing."""
    findings: list[str] = []
    hashes_at: dict[int, str] = {}
    wanted = set(AuditCheckpoint.objects.values_list("sequence", flat=True))
    count = 0
    for finding, sequence, digest in _walk():
        count += 1
        if finding:
            findings.append(finding)
        if sequence in wanted:
            hashes_at[sequence] = digest
    findings += _check_checkpoints(hashes_at)
    unsealed = AuditEvent.objects.exclude(pk__in=AuditSeal.objects.values("event_id")).count()
    return Verification(count, unsealed, len(wanted), tuple(findings))


def _walk() -> Iterator[tuple[str, int, str]]:
    previous, expected = GENESIS, 1
    for seal in AuditSeal.objects.order_by("sequence").iterator(chunk_size=BATCH):
        event = AuditEvent.objects.filter(pk=seal.event_id).first()
        yield _judge(seal, event, previous, expected), seal.sequence, seal.hash
        previous, expected = seal.hash, seal.sequence + 1


def _judge(seal: AuditSeal, event: AuditEvent | None, previous: str, expected: int) -> str:
    if seal.sequence != expected:
        return f"Seals {expected} to {seal.sequence - 1} are missing."
    if event is None:
        return f"Event {seal.event_id}, sealed as number {seal.sequence}, has been removed."
    if seal.previous_hash != previous:
        return f"Seal {seal.sequence} does not follow from the seal before it."
    if link_hash(seal.sequence, previous, event) != seal.hash:
        return f"Event {seal.event_id} ({event.verb}) has been changed since it was sealed as number {seal.sequence}."
    return ""


def _check_checkpoints(hashes_at: dict[int, str]) -> list[str]:
    findings = []
    keys = dict(_keys())
    for point in AuditCheckpoint.objects.order_by("sequence"):
        key = keys.get(point.key_id)
        if key is None:
            findings.append(
                f"Checkpoint {point.sequence} was signed with a key that PORTAL_ENCRYPTION_KEYS no longer has."
            )
            continue
        try:
            key.public_key().verify(b64decode(point.signature), _statement(point.sequence, point.hash, point.signed_at))
        except InvalidSignature:
            findings.append(f"Checkpoint {point.sequence} has a signature that is not ours.")
        if hashes_at.get(point.sequence) != point.hash:
            findings.append(f"The chain does not have the hash that was signed at {point.sequence}.")
    return findings
