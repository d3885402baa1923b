"""Our own secrets rest encrypted, outlive a rotation of keys, and are missed by name when their key is gone."""

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from pytest_django import Settings

from portal.outbox.models import WebhookEndpoint
from portal.vault import UndecryptableError

pytestmark = [pytest.mark.django_db, pytest.mark.database_both]

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def webhook(settings: Settings) -> WebhookEndpoint:
    settings.PORTAL_ENCRYPTION_KEYS = [OLD]
    return WebhookEndpoint.objects.create(name="chat", url="https://chat.example/", secret="sesame: öffne dich")


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM outbox_webhookendpoint")
        return str(cursor.fetchone()[0])


def test_the_database_does_not_know_the_secret(webhook: WebhookEndpoint) -> None:
    assert "sesame" not in stored()
    assert WebhookEndpoint.objects.get().secret == "sesame: öffne dich"


def test_no_secret_stays_no_secret(webhook: WebhookEndpoint) -> None:
    webhook.secret = ""
    webhook.save()
    assert stored() == ""
    assert WebhookEndpoint.objects.get().secret == ""


def test_keys_can_be_rotated(webhook: WebhookEndpoint, settings: Settings) -> None:
    settings.PORTAL_ENCRYPTION_KEYS = [NEW, OLD]
    read = WebhookEndpoint.objects.get()
    assert read.secret == "sesame: öffne dich"
    read.save()
    settings.PORTAL_ENCRYPTION_KEYS = [NEW]
    assert WebhookEndpoint.objects.get().secret == "sesame: öffne dich"
    settings.PORTAL_ENCRYPTION_KEYS = [OLD]
    with pytest.raises(UndecryptableError):
        WebhookEndpoint.objects.get()


def test_a_missing_key_is_one_sentence(webhook: WebhookEndpoint, settings: Settings) -> None:
    settings.PORTAL_ENCRYPTION_KEYS = [NEW]
    with pytest.raises(
        UndecryptableError,
        match=r"^A stored webhook endpoint cannot be decrypted: none of PORTAL_ENCRYPTION_KEYS fits\. Add the key",
    ):
        WebhookEndpoint.objects.get()
    assert WebhookEndpoint.objects.defer("secret").get().name == "chat"


def test_a_stored_value_that_was_tampered_with_is_not_taken(webhook: WebhookEndpoint) -> None:
    WebhookEndpoint.objects.update(name="other")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE outbox_webhookendpoint SET secret = %s", [stored()[:-8] + "AAAAAAA="])
    with pytest.raises(UndecryptableError):
        WebhookEndpoint.objects.get()


def test_a_secret_is_never_a_field_of_a_form() -> None:
    assert not WebhookEndpoint._meta.get_field("secret").editable
