"""Stop actions for a while, for everybody: freeze, read-only, quarantine; and what is stopped now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from portal.actor import Actor
from portal.audit.record import record
from portal.globs import matches
from portal.users.models import User
from registries.access.models import Restriction
from registries.topology.models import Registry, Zone

# Who stops things, and who lets them go on.
ROLES: Final = ("platform_admin", "security")


@dataclass(frozen=True, slots=True)
class Preset:
    """What people mean by a word, in actions; ``line`` says it to whoever chooses."""

    code: str
    actions: frozenset[str]
    line: str


PRESETS: Final[Mapping[str, Preset]] = {
    preset.code: preset
    for preset in (
        Preset("freeze", frozenset({"push"}), "freeze: nobody pushes; everybody goes on pulling"),
        Preset("read_only", frozenset({"push", "delete"}), "read-only: nobody pushes or deletes"),
        Preset("quarantine", frozenset({"pull", "push", "delete"}), "quarantine: nobody even pulls"),
    )
}


class NotOursToEndError(Exception):
    """It was written by something that ends it itself; the sentence says by what."""


def may_end(viewer: User, row: Restriction) -> bool:
    """Whether somebody may end it early: one that people made, for those who make them."""
    return not row.source_label and viewer.has_role(*ROLES)


def end_restriction(actor: Actor, restriction: Restriction, now: datetime) -> bool:
    """Over from now on, and on record; False where it was over already. Raises NotOursToEndError."""
    with transaction.atomic():
        row = Restriction.objects.select_for_update(of=("self",)).get(pk=restriction.pk)
        if row.source_label:
            raise NotOursToEndError(f"It was written by {row.source_label} {row.source_key} and ends with it.")
        if row.ends_at is not None and row.ends_at <= now:
            return False
        planned = row.ends_at.isoformat() if row.ends_at else ""
        row.ends_at = now
        # One that had not begun never will.
        row.starts_at = min(row.starts_at, now)
        row.save()
        record(actor, "restriction.ended", row, planned_end=planned)
    restriction.ends_at, restriction.starts_at = row.ends_at, row.starts_at
    return True


def in_force(now: datetime) -> QuerySet[Restriction]:
    """What is stopped now, anywhere."""
    rows = Restriction.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), starts_at__lte=now)
    return rows.select_related("zone", "registry").order_by("ends_at", "pk")


def stopped_at(registry: Registry, now: datetime) -> list[Restriction]:
    """What is stopped at a registry, for all or for some of its names."""
    here = Q(registry=registry) | Q(registry=None, zone=registry.zone_id) | Q(registry=None, zone=None)
    return list(in_force(now).filter(here).filter(Q(zone=None) | Q(zone=registry.zone_id)))


def stopped_for(registry: Registry, repository: str, now: datetime) -> list[Restriction]:
    """What is stopped for one repository."""
    return [row for row in stopped_at(registry, now) if matches(row.pattern, repository)]


def stopped_in(zone: Zone, now: datetime) -> list[Restriction]:
    """What is stopped in a zone, at all of its registries or at some."""
    here = Q(registry__zone=zone) | Q(registry=None, zone=zone) | Q(registry=None, zone=None)
    return list(in_force(now).filter(here))


def stopped_words(actions: Iterable[str]) -> str:
    """``pushes and deletions``."""
    words = [{"pull": "pulls", "push": "pushes", "delete": "deletions"}[action] for action in actions]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
