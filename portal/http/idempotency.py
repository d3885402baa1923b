"""How does a repeated request do its work once? ``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header).

The key is written down, and committed, before the work. A second request with it gets the first one's answer; one that comes
while the first is at work, or asks for something else by the same key, is refused."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.http.models import IdempotencyRecord
from portal.http.problem import Problem

KEPT = timedelta(hours=24)
# Longer than any request may take: who has not answered by then has died.
WORKING = timedelta(minutes=2)
_FORM = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True)
class Answer:
    """What a request answered; ``body`` must be JSON."""

    status: int
    body: Any
    is_replay: bool = False


def answer_once(caller: str, key: str, request: Any, work: Callable[[], Answer]) -> Answer:
    """Do ``work`` unless this caller did it by this key within a day. Call it outside any transaction.

    Raises Problem 400 ``bad_idempotency_key``, 409 ``in_flight``, 422 ``idempotency_mismatch``. Work that raises leaves the key
    free: nothing was done, so the same key may ask again."""
    if not _FORM.fullmatch(key):
        raise Problem(
            400, "bad_idempotency_key", "Idempotency-Key is 1 to 255 printable ASCII characters without spaces."
        )
    mine = _begin(caller, key, hash_of(request), timezone.now())
    if mine.status:
        return Answer(mine.status, mine.body, is_replay=True)
    try:
        answer = work()
    except BaseException:
        _still(mine).delete()
        raise
    _still(mine).update(status=answer.status, body=answer.body)
    return answer


def hash_of(request: Any) -> str:
    """SHA-256 over the request in one fixed spelling."""
    text = json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _begin(caller: str, key: str, request_hash: str, now: datetime) -> IdempotencyRecord:
    """A fresh record to work under, or the finished one to answer from."""
    IdempotencyRecord.objects.filter(caller=caller, created_at__lt=now - KEPT).delete()
    try:
        with transaction.atomic():
            return IdempotencyRecord.objects.create(caller=caller, key=key, request_hash=request_hash)
    except IntegrityError:
        known = IdempotencyRecord.objects.filter(caller=caller, key=key).first()
    if known is None:
        raise _in_flight()  # let go this very moment; the caller asks again
    if known.request_hash != request_hash:
        raise Problem(
            422,
            "idempotency_mismatch",
            "This Idempotency-Key was used for another request. Make a new key for a new request.",
        )
    if not known.status:
        _take_over(known, now)
    return known


def _take_over(known: IdempotencyRecord, now: datetime) -> None:
    """Whoever died at the work is followed by exactly one."""
    is_dead = known.created_at < now - WORKING
    if not is_dead or not _still(known).update(created_at=now):
        raise _in_flight()
    known.created_at = now


def _still(record: IdempotencyRecord) -> Any:
    return IdempotencyRecord.objects.filter(pk=record.pk, status=0, created_at=record.created_at)


def _in_flight() -> Problem:
    return Problem(
        409, "in_flight", "The first request with this Idempotency-Key is still at work; ask again in a moment."
    )
