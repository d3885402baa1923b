"""What needs somebody's attention? Each row says what, since when, and where to look. A bounded number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from portal.users.models import User
from portal.web.map_model import State
from portal.web.map_rows import health_of
from promotions.archive.models import ArchiveEntry
from promotions.archive.queries import entries_seen_by
from promotions.replication.models import Delivery
from promotions.replication.queries import seen_by
from promotions.workflow.queries import waiting_for
from registries.topology.models import Registry

MOST = 6
LOOKED_AT = 60


@dataclass(frozen=True, slots=True)
class Attention:
    """One line."""

    state: State
    title: str
    text: str
    url: str
    at: datetime | None = None


def attention_rows(viewer: User) -> list[Attention]:
    """Broken first, then what waits for the viewer, then the rest."""
    return sorted([*trouble_rows(viewer), *_waiting(viewer)], key=lambda row: row.state != "broken")


def trouble_rows(viewer: User) -> list[Attention]:
    """What is wrong of what the viewer may know of; broken first."""
    return sorted([*_registries(), *_deliveries(viewer), *_archive(viewer)], key=lambda row: row.state != "broken")


def _registries() -> Iterable[Attention]:
    for registry in Registry.objects.select_related("health", "sync_state"):
        state, word = health_of(registry)
        if state in ("attention", "broken"):
            since = registry.health.since if hasattr(registry, "health") else None
            yield Attention(state, registry.name, word, reverse("web:registry", args=[registry.name]), since)


def _deliveries(viewer: User) -> Iterable[Attention]:
    rows = Delivery.objects.filter(state=Delivery.State.FAILED).select_related("rule__source", "rule__target")
    for delivery in seen_by(viewer, rows.order_by("-id")[:LOOKED_AT])[:MOST]:
        title = f"{delivery.repository}:{delivery.tag} has not reached {delivery.rule.target}"
        yield Attention(
            "broken", title, delivery.reason_text, reverse("web:digest", args=[delivery.digest]), delivery.wanted_at
        )


def _archive(viewer: User) -> Iterable[Attention]:
    rows = ArchiveEntry.objects.filter(state=ArchiveEntry.State.FAILED).select_related("archive")
    for entry in entries_seen_by(viewer, rows.order_by("-id")[:LOOKED_AT])[:MOST]:
        url = reverse("web:registry", args=[entry.archive.name])
        yield Attention("broken", f"{entry} was not imported", entry.reason_text, url, entry.created_at)


def _waiting(user: User) -> Iterable[Attention]:
    for request in waiting_for(user)[:MOST]:
        text = f"{request.path.source} to {request.path.target}, for {request.on_behalf_of}"
        url = reverse("web:promotion", args=[request.public_id])
        yield Attention("attention", f"Promotion {request.public_id} waits for you", text, url, request.created_at)
