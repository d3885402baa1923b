"""Messages and where they go."""

from django.db import models

from portal.vault import EncryptedTextField


class WebhookEndpoint(models.Model):
    """An address outside that is told about events; signed by the Standard Webhooks scheme."""

    name = models.CharField(max_length=80, unique=True)
    url = models.URLField(max_length=500)
    secret = EncryptedTextField(blank=True)
    topics = models.JSONField(default=list, blank=True, help_text="Topics to send, as a list; an empty list means all.")
    is_enabled = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name

    def wants(self, topic: str) -> bool:
        """Whether the topic is to be sent here."""
        return self.is_enabled and (not self.topics or topic in self.topics)


class Message(models.Model):
    """One message to one destination. Sent at least once; receivers tell repeats by ``id``."""

    class Channel(models.TextChoices):
        MAIL = "mail"
        WEBHOOK = "webhook"

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        FAILED = "failed"

    topic = models.CharField(max_length=80)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    destination = models.CharField(max_length=500)
    endpoint = models.ForeignKey(
        WebhookEndpoint, null=True, blank=True, on_delete=models.CASCADE, related_name="messages"
    )
    title = models.CharField(max_length=255)
    body = models.TextField(blank=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "next_try_at"], name="message_due")]

    def __str__(self) -> str:
        return f"{self.topic} to {self.destination}"
