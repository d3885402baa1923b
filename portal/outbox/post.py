"""Write messages, in the transaction of what they tell."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from portal.outbox.models import Message, WebhookEndpoint
from portal.users.models import User


def tell(
    topic: str, title: str, *, people: Iterable[User] = (), body: str = "", payload: dict[str, Any] | None = None
) -> int:
    """Leave one mail per person with an address and one call per webhook that wants the topic; how many were left."""
    now = timezone.now()
    # One line: it becomes the subject of a mail.
    base = {
        "topic": topic,
        "title": " ".join(title.split())[:255],
        "body": body,
        "payload": payload or {},
        "next_try_at": now,
    }
    rows = [Message(channel=Message.Channel.MAIL, destination=user.email, **base) for user in people if user.email]
    rows += [
        Message(channel=Message.Channel.WEBHOOK, destination=endpoint.url, endpoint=endpoint, **base)
        for endpoint in WebhookEndpoint.objects.filter(is_enabled=True).defer("secret")
        if endpoint.wants(topic)
    ]
    Message.objects.bulk_create(rows)
    return len(rows)
