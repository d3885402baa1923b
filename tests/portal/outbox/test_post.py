"""What is to be told is written with what it tells, to everybody who wants to know, and to nobody else."""

import pytest
from django.db import transaction
from pytest_django import Settings

from portal.actor import system
from portal.outbox.models import Message, WebhookEndpoint
from portal.outbox.post import tell
from portal.users.accounts import create_person
from portal.users.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]


@pytest.fixture
def alice() -> User:
    return create_person(system("tester"), "alice", "alice@corp.example", "correct horse battery")


def test_people_get_mail_and_webhooks_get_their_topics(alice: User) -> None:
    nameless = User(username="nameless", email="")
    for name, topics, is_enabled in (("all", [], True), ("some", ["promotion.done"], True), ("off", [], False)):
        WebhookEndpoint.objects.create(name=name, url=f"http://{name}.invalid/", topics=topics, is_enabled=is_enabled)
    assert tell("promotion.asked", "Please decide", people=[alice, nameless], payload={"request": 7}) == 2
    assert tell("promotion.done", "Done") == 2
    rows = Message.objects.order_by("id").values_list("topic", "channel", "destination")
    assert list(rows) == [
        ("promotion.asked", "mail", "alice@corp.example"),
        ("promotion.asked", "webhook", "http://all.invalid/"),
        ("promotion.done", "webhook", "http://all.invalid/"),
        ("promotion.done", "webhook", "http://some.invalid/"),
    ]


def test_what_did_not_happen_is_not_told(alice: User) -> None:
    with transaction.atomic():
        tell("promotion.done", "Done", people=[alice])
        transaction.set_rollback(True)
    assert not Message.objects.exists()


def test_a_title_of_many_lines_becomes_one(alice: User) -> None:
    """As the subject of a mail it could otherwise carry headers of its own, and would be refused for ever."""
    tell("promotion.asked", "Please\r\nBcc: mallory@evil.example " + "x" * 300, people=[alice])
    title = Message.objects.get().title
    assert title.startswith("Please Bcc: mallory@evil.example xxx")
    assert len(title) == 255


def test_a_webhook_whose_secret_cannot_be_read_stops_nobody_who_tells(settings: Settings) -> None:
    WebhookEndpoint.objects.create(name="chat", url="http://chat.invalid/", secret="sesame")
    settings.PORTAL_ENCRYPTION_KEYS = ["b3RoZXItdG8tZXZlcnlib2R5LWdvb2QtNC10ZXN0czI="]
    assert tell("promotion.done", "Done") == 1
