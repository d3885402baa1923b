"""Secrets as lists show them, whoever shows them: the state in a word, what they are good for, and what took their place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet

from portal.users.models import User
from registries.access.credential.narrowing import narrowing_of, say_narrowing
from registries.access.credential.secret_state import State, Stored, alive, state_of
from registries.access.models import PersonalToken, Secret, StoredSecret

# Those that work no more are shown for a while, for whoever wonders why something stopped.
SHOWN_AFTER: Final = timedelta(days=30)
SIGNS: Final[Mapping[State, str]] = {
    "works": "well",
    "ends soon": "attention",
    "ended": "unknown",
    "revoked": "unknown",
}


@dataclass(frozen=True, slots=True)
class SecretRow:
    """``sign`` is one of the four states of pages; ``narrowing`` is empty where nothing is narrowed."""

    stored: Stored
    state: State
    narrowing: str
    replaced_by: str

    @property
    def sign(self) -> str:
        return SIGNS[self.state]

    @property
    def is_live(self) -> bool:
        return self.state in ("works", "ends soon")

    @property
    def can_be_replaced(self) -> bool:
        return self.is_live and not self.replaced_by


def tokens_of(user: User, now: datetime) -> list[SecretRow]:
    """Somebody's personal tokens, those that work first."""
    return secret_rows(PersonalToken.objects.filter(user=user), now)


def secrets_of(robot_key: int, now: datetime) -> list[SecretRow]:
    """A robot's secrets without those of CI jobs."""
    return secret_rows(Secret.objects.filter(robot=robot_key, is_keyless=False).select_related("shown_to"), now)


def secret_rows(stored: QuerySet[Any], now: datetime) -> list[SecretRow]:
    """Two queries; what ended a month ago is left out."""
    recent = now - SHOWN_AFTER
    shown = stored.filter(Q(revoked_at=None) | Q(revoked_at__gt=recent), Q(expires_at=None) | Q(expires_at__gt=recent))
    found = list(shown.order_by("-id"))
    heirs = _heirs(stored.model, found, now)
    rows = [
        SecretRow(row, state_of(row, now), say_narrowing(narrowing_of(row)), heirs.get(row.pk, "")) for row in found
    ]
    return sorted(rows, key=lambda row: not row.is_live)


def _heirs(model: Any, found: Iterable[StoredSecret], now: datetime) -> dict[int, str]:
    """Key of a secret -> name of the live one that replaces it."""
    rows = model._default_manager.filter(alive(now), replaces__in=[row.pk for row in found])
    return {old: name or handle for old, name, handle in rows.values_list("replaces", "name", "handle")}
