"""Send what waits. Webhooks follow the Standard Webhooks scheme: ``v1,`` + base64 HMAC-SHA256 over ``id.timestamp.body``."""

import base64
import hashlib
import hmac
import json
import smtplib
from datetime import datetime, timedelta

import requests
from django.core.mail import EmailMessage
from django.db.models import F
from django.utils import timezone

from portal.outbox.models import Message

PAUSES = [timedelta(seconds=s) for s in (5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600)]
TIMEOUT = (5, 15)


class NotSentError(Exception):
    """The other side did not take the message."""


def deliver_due(now: datetime | None = None, limit: int = 50) -> int:
    """Try every message that is due; how many were sent."""
    now = now or timezone.now()
    due = Message.objects.filter(state=Message.State.WAITING, next_try_at__lte=now).order_by("next_try_at")[:limit]
    return sum(deliver(message, now) for message in due)


def deliver(message: Message, now: datetime) -> bool:
    """One try. The next time is written before the try, so that two senders do not both send, and a crash does not repeat at once."""
    pause = PAUSES[min(message.attempts, len(PAUSES) - 1)]
    mine = Message.objects.filter(pk=message.pk, state=Message.State.WAITING, attempts=message.attempts)
    if not mine.update(attempts=F("attempts") + 1, next_try_at=now + pause):
        return False
    try:
        (_send_mail if message.channel == Message.Channel.MAIL else _send_webhook)(message, now)
    except (NotSentError, OSError, smtplib.SMTPException, requests.RequestException) as error:
        is_last = message.attempts + 1 >= len(PAUSES)
        state = Message.State.FAILED if is_last else Message.State.WAITING
        Message.objects.filter(pk=message.pk).update(state=state, last_error=f"{type(error).__name__}: {error}"[:2000])
        return False
    Message.objects.filter(pk=message.pk).update(state=Message.State.SENT, sent_at=timezone.now(), last_error="")
    return True


def _send_mail(message: Message, now: datetime) -> None:
    EmailMessage(f"[Portreeve] {message.title}", message.body or message.title, to=[message.destination]).send()


def sign(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """The value of ``webhook-signature``."""
    digest = hmac.new(secret.encode(), f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _send_webhook(message: Message, now: datetime) -> None:
    body = json.dumps({"type": message.topic, "timestamp": now.isoformat(), "data": message.payload}).encode()
    message_id, timestamp = f"msg_{message.pk}", str(int(now.timestamp()))
    headers = {"content-type": "application/json", "webhook-id": message_id, "webhook-timestamp": timestamp}
    if message.endpoint and message.endpoint.secret:
        headers["webhook-signature"] = sign(message.endpoint.secret, message_id, timestamp, body)
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(message.destination, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False)
    if not 200 <= answer.status_code < 300:
        raise NotSentError(f"{message.destination} answered {answer.status_code}.")
