"""Messages leave signed, once, and again after longer and longer pauses where nobody took them."""

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone
from pytest_django import Settings

from portal.jobs.locks import held
from portal.outbox.deliver import PAUSES, deliver, deliver_due
from portal.outbox.models import Message, WebhookEndpoint
from portal.outbox.post import tell
from tests.portal.outbox.receiver import Call, Receiver

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]
SECRET = "sesame-opens-it"


def message_for(receiver: Receiver, secret: str = SECRET, **payload: object) -> Message:
    endpoint, _ = WebhookEndpoint.objects.get_or_create(name="chat", url=receiver.url, defaults={"secret": secret})
    tell("promotion.done", "Done", payload=payload)
    return Message.objects.filter(endpoint=endpoint).latest("id")


def mail_to(address: str) -> Message:
    return Message.objects.create(
        topic="t", channel="mail", destination=address, title="Please decide", next_try_at=timezone.now()
    )


def signature_of(call: Call, key: bytes) -> str:
    signed = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def test_a_webhook_can_prove_who_calls(receiver: Receiver) -> None:
    message = message_for(receiver, request=7)
    assert deliver_due() == 1
    (call,) = receiver.calls
    assert call.headers["webhook-signature"] == signature_of(call, SECRET.encode())
    assert call.headers["webhook-id"] == f"msg_{message.pk}"
    age = datetime.now(UTC) - datetime.fromtimestamp(int(call.headers["webhook-timestamp"]), UTC)
    assert age < timedelta(minutes=1)
    assert json.loads(call.body) == {
        "type": "promotion.done",
        "timestamp": message.created_at.isoformat(),
        "data": {"request": 7},
    }
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("sent", 1)
    assert message.sent_at is not None
    assert deliver_due() == 0
    assert len(receiver.calls) == 1


def test_a_secret_as_the_libraries_of_receivers_expect_it_is_base64(receiver: Receiver) -> None:
    message_for(receiver, "whsec_" + base64.b64encode(b"24 bytes or a few more..").decode())
    deliver_due()
    assert receiver.calls[0].headers["webhook-signature"] == signature_of(
        receiver.calls[0], b"24 bytes or a few more.."
    )


def test_a_secret_that_is_not_what_it_says_is_told(receiver: Receiver) -> None:
    message = message_for(receiver, "whsec_not base64!")
    assert deliver_due() == 0
    message.refresh_from_db()
    assert "begins with whsec_, but what follows is not base64" in message.last_error
    assert not receiver.calls


def test_pauses_grow_until_it_is_given_up(receiver: Receiver) -> None:
    message = message_for(receiver)
    receiver.answers = [500] * len(PAUSES)
    now = timezone.now()
    for pause in PAUSES:
        assert message.state == "waiting"
        assert deliver_due(clock=lambda now=now: now) == 0  # type: ignore[misc]
        message.refresh_from_db()
        assert message.next_try_at == now + pause
        assert deliver_due(clock=lambda now=now, pause=pause: now + pause * 0.9) == 0  # type: ignore[misc]
        now += pause
    assert (message.state, message.attempts) == ("failed", len(PAUSES))
    assert message.last_error == f"NotSentError: {receiver.url} answered 500."
    assert len(receiver.calls) == len(PAUSES)
    bodies = {call.body for call in receiver.calls}
    assert len(bodies) == 1


def test_what_was_taken_at_the_second_try_leaves_no_error(receiver: Receiver) -> None:
    message = message_for(receiver)
    receiver.answers = [503]
    deliver_due()
    assert deliver_due(clock=lambda: timezone.now() + timedelta(minutes=1)) == 1
    message.refresh_from_db()
    assert (message.state, message.attempts, message.last_error) == ("sent", 2, "")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    message = message_for(receiver)
    receiver.answers = [status]
    assert deliver_due() == 0
    assert [call.path for call in receiver.calls] == ["/hook"]
    message.refresh_from_db()
    assert f"answered {status}" in message.last_error


def test_nobody_at_home_is_a_reason_and_no_crash(receiver: Receiver) -> None:
    for url in ("http://127.0.0.1:1/", "http://nobody.invalid/", "http://[/", "http://" + "x" * 70 + ".invalid/"):
        Message.objects.create(topic="t", channel="webhook", destination=url, title="t", next_try_at=timezone.now())
    for message in Message.objects.all():
        assert not deliver(message, timezone.now())
        message.refresh_from_db()
        assert (message.state, message.attempts) == ("waiting", 1)
        assert message.last_error


def test_one_that_fails_does_not_hold_up_the_others(receiver: Receiver) -> None:
    for _ in range(3):
        message_for(receiver)
    receiver.answers = [500]
    mail_to("alice@corp.example")
    assert deliver_due() == 1
    assert len(receiver.calls) == 1
    assert deliver_due() == 2


def test_an_endpoint_that_is_switched_off_is_told_when_it_is_on_again(receiver: Receiver) -> None:
    message = message_for(receiver)
    WebhookEndpoint.objects.update(is_enabled=False)
    assert deliver_due() == 0
    assert not receiver.calls
    WebhookEndpoint.objects.update(is_enabled=True)
    assert deliver_due() == 1
    message.refresh_from_db()
    assert message.attempts == 1


def test_a_secret_that_cannot_be_decrypted_is_a_reason_and_no_crash(receiver: Receiver, settings: Settings) -> None:
    message = message_for(receiver)
    settings.PORTAL_ENCRYPTION_KEYS = ["b3RoZXItdG8tZXZlcnlib2R5LWdvb2QtNC10ZXN0czI="]
    assert deliver_due() == 0
    message = Message.objects.defer("endpoint__secret").get(pk=message.pk)
    assert "none of PORTAL_ENCRYPTION_KEYS fits" in message.last_error
    assert not receiver.calls


def test_mail_goes_to_the_person(mailoutbox: list[EmailMessage]) -> None:
    message = mail_to("alice@corp.example")
    assert deliver_due() == 1
    (mail,) = mailoutbox
    assert (mail.to, mail.subject, mail.body) == (["alice@corp.example"], "[Portreeve] Please decide", "Please decide")
    message.refresh_from_db()
    assert message.state == "sent"


def test_a_mail_server_that_is_down_is_tried_again(settings: Settings) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1"
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        settings.EMAIL_PORT = nobody.getsockname()[1]
    message = mail_to("alice@corp.example")
    assert deliver_due() == 0
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("waiting", 1)
    assert "ConnectionRefusedError" in message.last_error


def test_a_second_sender_gives_way(receiver: Receiver) -> None:
    message_for(receiver)
    with held("outbox.deliver", "somebody else"):
        assert deliver_due() == 0
    assert deliver_due() == 1


def test_a_sender_that_died_in_the_middle_does_not_repeat_at_once(receiver: Receiver) -> None:
    """The next time is written before the try: its process ends in the middle, and what is left is a waiting row."""
    message = message_for(receiver)
    receiver.answers = [500]
    deliver(message, timezone.now())
    assert deliver_due() == 0
    assert deliver_due(clock=lambda: timezone.now() + PAUSES[0]) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_senders_at_once_one_sends(receiver: Receiver, in_threads: Callable[..., list[Any]]) -> None:
    for number in range(10):
        message = message_for(receiver, number=number)
        assert sum(in_threads(*[partial(deliver, message, timezone.now())] * 4)) == 1
    assert len(receiver.calls) == 10
