"""The policy as values, read once per change and process. What a token request needs beyond it is one credential."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from registries.access.epoch import current_epoch
from registries.access.facts import Default, Limit, Owner, Place, Policy, Rule
from registries.access.models import AccessRule, Namespace, Restriction, SigningKey
from registries.topology.models import Registry, ZoneDefault

# A belt beside the epoch, should somebody change rows by SQL.
MAX_AGE_SECONDS = 30.0
_MAX_CHAIN = 4


@dataclass(frozen=True)
class Snapshot:
    """``places`` by registry, ``services`` registry by audience, ``kids`` the key that signs by registry."""

    epoch: int
    read_at: float
    policy: Policy
    places: Mapping[int, Place]
    services: Mapping[str, int]
    kids: Mapping[int, str]

    def place(self, registry: Registry) -> Place:
        """The place of a row; one that was made in this very moment is not in the snapshot yet."""
        return self.places.get(registry.pk) or place_of(registry)


_lock = threading.Lock()
_held: list[Snapshot] = []


def current_snapshot(epoch: int | None = None) -> Snapshot:
    """The snapshot for the present epoch; give the epoch when it has just been read with something else."""
    wanted = current_epoch() if epoch is None else epoch
    with _lock:
        held = _held[0] if _held else None
    if held is not None and held.epoch == wanted and time.monotonic() - held.read_at < MAX_AGE_SECONDS:
        return held
    fresh = read_snapshot(wanted)
    with _lock:
        _held[:] = [fresh]
    return fresh


def read_snapshot(epoch: int) -> Snapshot:
    """Read all rows. Rows that change meanwhile come with another epoch, and so are read again."""
    registries = {
        row.pk: row
        for row in Registry.objects.select_related("zone").only("name", "service", "fronts", "zone__name", "zone__kind")
    }
    active = SigningKey.objects.filter(state=SigningKey.State.ACTIVE).values_list("registry_id", "kid")
    return Snapshot(
        epoch,
        time.monotonic(),
        read_policy(),
        {key: _place(row, registries) for key, row in registries.items()},
        {row.service: key for key, row in registries.items()},
        dict(active),
    )


def read_policy() -> Policy:
    owners = {
        (row.zone_id, row.prefix): Owner(row.prefix, row.team_id, row.team.name)
        for row in Namespace.objects.select_related("team")
    }
    rows = AccessRule.objects.select_related("team", "user", "robot", "zone", "registry").order_by("pk")
    return Policy(
        tuple(rule_of(row) for row in rows),
        tuple(Default(row.zone_id, row.audience, row.action) for row in ZoneDefault.objects.order_by("pk")),
        tuple(limit_of(row) for row in Restriction.objects.select_related("zone", "registry").order_by("pk")),
        owners,
    )


def rule_of(row: AccessRule) -> Rule:
    """The row as a value."""
    return Rule(
        row.pk,
        f"rule {row.pk} ({row})" + (f", {row.reason}" if row.reason else ""),
        row.effect == AccessRule.Effect.DENY,
        frozenset(row.actions),
        row.pattern,
        row.team_id,
        row.user_id,
        row.robot_id,
        row.zone_id,
        row.registry_id,
        row.starts_at,
        row.ends_at,
        row.is_public,
    )


def limit_of(row: Restriction) -> Limit:
    """The row as a value."""
    flags = (("pull", row.forbids_pull), ("push", row.forbids_push), ("delete", row.forbids_delete))
    return Limit(
        f"restriction {row.pk} ({row})",
        row.code,
        row.reason,
        frozenset(action for action, is_on in flags if is_on),
        row.pattern,
        row.zone_id,
        row.registry_id,
        row.starts_at,
        row.ends_at,
    )


def place_of(registry: Registry) -> Place:
    """One registry and what it fronts, from rows alone."""
    rows = {registry.pk: registry}
    row = registry
    while row.fronts is not None and row.fronts.pk not in rows:
        row = row.fronts
        rows[row.pk] = row
    return _place(registry, rows)


def _place(row: Registry, rows: Mapping[int, Registry], depth: int = 0) -> Place:
    front = rows.get(row.fronts_id) if row.fronts_id and depth < _MAX_CHAIN else None
    fronts = _place(front, rows, depth + 1) if front is not None else None
    return Place(row.pk, row.name, row.zone_id, row.zone.name, row.zone.kind, fronts)
