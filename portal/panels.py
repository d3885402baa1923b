"""What does each floor add to a page of the roof? Apps register providers; the roof renders what they return.

A provider gets the person who looks and the key of the thing looked at, answers from rows alone, and returns None where it has
nothing to say or the person may not see it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

Viewer = AbstractBaseUser | AnonymousUser


@dataclass(frozen=True)
class Panel:
    """One block of a page: a template of the app and the context it renders with."""

    title: str
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)


Provider = Callable[[Viewer, str], Panel | None]
_providers: dict[str, list[tuple[int, Provider]]] = {}


def register(slot: str, provider: Provider, *, order: int = 100) -> None:
    """Slots: ``digest`` (key: a digest), ``repository`` and ``tag`` (key: primary key), ``attention`` and ``inbox`` (key: empty), ``leaving``
    (key: of the person)."""
    rows = _providers.setdefault(slot, [])
    if provider not in [known for _, known in rows]:
        rows.append((order, provider))
        rows.sort(key=lambda row: row[0])


def panels_for(slot: str, viewer: Viewer, key: str = "") -> list[Panel]:
    """All panels for one slot, in order."""
    found = (provider(viewer, key) for _, provider in _providers.get(slot, []))
    return [panel for panel in found if panel is not None]
