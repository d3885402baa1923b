"""Chain what has been committed, so that :mod:`portal.audit.verify` can prove that nothing was changed, removed or slipped in.

A seal's hash is SHA-256 over ``portreeve-audit-1``, the sequence, the previous hash and the event's canonical JSON (RFC 8785),
joined by NUL. Checkpoints sign a hash with Ed25519, the key derived by HKDF from an encryption key that is not in the database."""

import hashlib
from base64 import b64encode, urlsafe_b64decode
from datetime import datetime
from typing import Any

import rfc8785
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from portal.audit.models import AuditCheckpoint, AuditEvent, AuditSeal

GENESIS = "0" * 64
BATCH = 500
CHECKPOINT_EVERY = 1000
REACH_BACK = 20_000
TURN = 0x706F7274  # of PostgreSQL's advisory locks, the one that sealers pass on


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
        _wait_for_turn()
        last = AuditSeal.objects.order_by("-sequence").first()
        sequence, previous = (last.sequence, last.hash) if last else (0, GENESIS)
        events = list(unsealed_within_reach().order_by("pk")[:BATCH])
        seals = []
        for event in events:
            sequence += 1
            digest = link_hash(sequence, previous, event)
            seals.append(
                AuditSeal(sequence=sequence, event_id=event.pk, previous_hash=previous, hash=digest, sealed_at=now)
            )
            previous = digest
        AuditSeal.objects.bulk_create(seals)
        if seals:
            _sign_if_due(sequence, previous, now)
    return len(seals)


def _wait_for_turn() -> None:
    """One sealer at a time, until its transaction ends; on SQLite every transaction that writes is alone from its beginning."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])


def unsealed_within_reach() -> QuerySet[AuditEvent]:
    """Events without a seal. A transaction may commit after later ids were sealed, so the look reaches back, but not for ever."""
    newest = AuditSeal.objects.aggregate(newest=Max("event_id"))["newest"] or 0
    return AuditEvent.objects.filter(pk__gt=newest - REACH_BACK).exclude(
        pk__in=AuditSeal.objects.filter(event_id__gt=newest - REACH_BACK).values("event_id")
    )


def _sign_if_due(sequence: int, digest: str, now: datetime) -> None:
    last = AuditCheckpoint.objects.order_by("-sequence").first()
    if last and sequence - last.sequence < CHECKPOINT_EVERY and (now - last.signed_at).total_seconds() < 3600:
        return
    key_id, key = signing_keys()[0]
    signature = b64encode(key.sign(statement(sequence, digest, now))).decode()
    AuditCheckpoint.objects.create(sequence=sequence, hash=digest, signed_at=now, key_id=key_id, signature=signature)


def statement(sequence: int, digest: str, at: datetime) -> bytes:
    """What a checkpoint signs."""
    return f"portreeve-checkpoint-1\0{sequence}\0{digest}\0{at.isoformat()}".encode()


def signing_keys() -> list[tuple[str, Ed25519PrivateKey]]:
    """Signing keys, newest first, with a short id of their public half."""
    found = []
    for secret in settings.PORTAL_ENCRYPTION_KEYS:
        seed = HKDF(hashes.SHA256(), 32, None, b"portreeve audit checkpoint").derive(urlsafe_b64decode(secret))
        key = Ed25519PrivateKey.from_private_bytes(seed)
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        found.append((hashlib.sha256(raw).hexdigest()[:16], key))
    return found
