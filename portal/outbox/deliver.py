"""Send what waits. Webhooks follow the Standard Webhooks scheme: ``v1,`` + base64 HMAC-SHA256 over ``id.timestamp.body``.

One sender at a time goes through what is due, and lets a destination that failed rest until the next time: a receiver that is
slow or gone takes one thread of ours for one timeout, not all of them for as long as there are messages for it."""

import base64
import hashlib
import hmac
import json
import secrets
import smtplib
from collections.abc import Callable
from datetime import datetime, timedelta

import requests
from django.core.mail import EmailMessage
from django.db.models import F, QuerySet
from django.utils import timezone
from urllib3.exceptions import HTTPError

from portal.jobs.locks import Busy, held
from portal.outbox.models import Message
from portal.vault import UndecryptableError


class NotSentError(Exception):
    """The other side did not take the message."""


PAUSES = [timedelta(seconds=s) for s in (5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600)]
TIMEOUT = (5, 15)
# A sender ends its round before its lock does, so that no second one starts beside it.
ROUND = timedelta(seconds=30)
LOCKED_FOR = timedelta(seconds=60)
# Some addresses that cannot be are noticed below requests, which lets those errors through.
NOT_SENT = (NotSentError, UndecryptableError, OSError, smtplib.SMTPException, requests.RequestException, HTTPError)
BASE64_PREFIX = "whsec_"


def deliver_due(limit: int = 50, clock: Callable[[], datetime] = timezone.now) -> int:
    """Try what is due; how many were sent. Nothing where another sender is at it."""
    try:
        with held("outbox.deliver", secrets.token_hex(8), for_=LOCKED_FOR):
            return _round(limit, clock)
    except Busy:
        return 0


def _round(limit: int, clock: Callable[[], datetime]) -> int:
    began, sent, resting = clock(), 0, set[str]()
    for message in _due(began)[:limit]:
        place = f"{message.channel} {message.endpoint_id}"
        if place in resting or clock() - began > ROUND:
            continue
        if deliver(message, clock()):
            sent += 1
        else:
            resting.add(place)
    return sent


def _due(now: datetime) -> QuerySet[Message]:
    """Messages to an endpoint that is switched off wait until it is on again."""
    waiting = Message.objects.filter(state=Message.State.WAITING, next_try_at__lte=now)
    return waiting.exclude(endpoint__is_enabled=False).order_by("next_try_at", "pk")


def deliver(message: Message, now: datetime) -> bool:
    """One try. The next time is written before the try, so that two senders do not both send, and a crash does not repeat at once."""
    pause = PAUSES[min(message.attempts, len(PAUSES) - 1)]
    mine = Message.objects.filter(pk=message.pk, state=Message.State.WAITING, attempts=message.attempts)
    if not mine.update(attempts=F("attempts") + 1, next_try_at=now + pause):
        return False
    try:
        (_send_mail if message.channel == Message.Channel.MAIL else _send_webhook)(message, now)
    except NOT_SENT as error:
        is_last = message.attempts + 1 >= len(PAUSES)
        state = Message.State.FAILED if is_last else Message.State.WAITING
        Message.objects.filter(pk=message.pk).update(state=state, last_error=f"{type(error).__name__}: {error}"[:2000])
        return False
    Message.objects.filter(pk=message.pk).update(state=Message.State.SENT, sent_at=timezone.now(), last_error="")
    return True


def _send_mail(message: Message, now: datetime) -> None:
    EmailMessage(f"[Portreeve] {message.title}", message.body or message.title, to=[message.destination]).send()


def sign(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """The value of ``webhook-signature``. A secret that begins with ``whsec_`` is base64, any other is taken as it is."""
    digest = hmac.new(_key(secret), f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _key(secret: str) -> bytes:
    if not secret.startswith(BASE64_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(BASE64_PREFIX), validate=True)
    except ValueError as error:
        raise NotSentError(
            f"The webhook's secret begins with {BASE64_PREFIX}, but what follows is not base64."
        ) from error


def _send_webhook(message: Message, now: datetime) -> None:
    body = json.dumps(
        {"type": message.topic, "timestamp": message.created_at.isoformat(), "data": message.payload}
    ).encode()
    message_id, timestamp = f"msg_{message.pk}", str(int(now.timestamp()))
    headers = {"content-type": "application/json", "webhook-id": message_id, "webhook-timestamp": timestamp}
    if message.endpoint and message.endpoint.secret:
        headers["webhook-signature"] = sign(message.endpoint.secret, message_id, timestamp, body)
    with requests.Session() as session:
        session.trust_env = False
        # The answer's body is not read: it says nothing to us and may have no end.
        answer = session.post(
            message.destination, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
        )
        answer.close()
    if not 200 <= answer.status_code < 300:
        raise NotSentError(f"{message.destination} answered {answer.status_code}.")
