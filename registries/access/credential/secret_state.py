"""Does a secret still work, for how long, and has it been followed by another?"""

from datetime import datetime, timedelta
from typing import Any, Final, Literal

from django.db.models import Exists, OuterRef, Q, QuerySet

from registries.access.models import PersonalToken, Secret, StoredSecret

State = Literal["works", "ends soon", "ended", "revoked"]
SOON: Final = timedelta(days=14)
Stored = PersonalToken | Secret


def state_of(stored: StoredSecret, now: datetime) -> State:
    """One word for tables."""
    if stored.revoked_at is not None:
        return "revoked"
    if stored.expires_at is None or stored.expires_at > now + SOON:
        return "works"
    return "ends soon" if stored.expires_at > now else "ended"


def alive(now: datetime) -> Q:
    """Neither revoked nor over, as a condition on rows."""
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))


def live_secrets(rows: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """Those somebody was shown and can still use; what CI jobs get for minutes is none of them."""
    kept = rows.filter(alive(now))
    return kept.filter(is_keyless=False) if rows.model is Secret else kept


def successors_of(model: type[Stored], now: datetime) -> QuerySet[Any]:
    """For a subquery on rows of ``model``: the live ones that replace a row."""
    rows: QuerySet[Any] = Secret.objects.all() if model is Secret else PersonalToken.objects.all()
    return rows.filter(alive(now), replaces=OuterRef("pk"))


def not_replaced(rows: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """Without those that another has taken the place of."""
    return rows.exclude(Exists(successors_of(rows.model, now)))
