"""The policy as values, read once per change and process. What a token request needs beyond it is one credential."""

import gc
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import product

from django.db.models import QuerySet

from portal.networks import parse_networks
from registries.access.epoch import current_epoch
from registries.access.facts import Default, Limit, Owner, Place, Policy, Rule
from registries.access.models import AccessRule, Namespace, Restriction, SigningKey, chosen_actions, rule_text
from registries.access.naming_rules.naming import naming_of
from registries.access.naming_rules.naming_models import NamingRule
from registries.access.who import ROBOT_PREFIX
from registries.topology.models import Registry, ZoneDefault

# A belt beside the epoch, should somebody change rows by SQL. Every reading holds up the requests of its process.
MAX_AGE_SECONDS = 300.0
MANY_RULES = 1000
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


_reading = threading.Lock()
_held: list[Snapshot] = []


def current_snapshot(epoch: int | None = None) -> Snapshot:
    """The snapshot for the present epoch; give the epoch when it has just been read with something else.

    After a change everybody waits for the one who reads. Where nothing has changed and it is only old, nobody does."""
    wanted = current_epoch() if epoch is None else epoch
    held = _held_for(wanted)
    if held is not None and time.monotonic() - held.read_at < MAX_AGE_SECONDS:
        return held
    if held is not None and _reading.locked():
        return held
    with _reading:
        read_meanwhile = _held_for(wanted)
        if read_meanwhile is not None and read_meanwhile is not held:
            return read_meanwhile
        fresh = read_snapshot(wanted)
        _held[:] = [fresh]
        if len(fresh.policy.rules) >= MANY_RULES:
            _set_aside()
        return fresh


def _set_aside() -> None:
    """What lives until the next change is no business of the garbage collector: to walk over 20,000 rules takes it 150 ms, every few
    thousand requests, in which nobody gets an answer. It is freed all the same when the last reference to it is gone."""
    gc.collect()
    gc.freeze()


def _held_for(epoch: int) -> Snapshot | None:
    held = next(iter(_held), None)
    return held if held is not None and held.epoch == epoch else None


def read_snapshot(epoch: int) -> Snapshot:
    """Read all rows. Rows that change meanwhile come with another epoch, and so are read again."""
    registries = {
        row.pk: row
        for row in Registry.objects.select_related("zone").only(
            "name", "service", "fronts", "zone__name", "zone__kind", "zone__requires_keyless"
        )
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
    return Policy(
        tuple(rules_of(AccessRule.objects.filter(is_draft=False))),
        tuple(Default(row.zone_id, row.audience, row.action) for row in ZoneDefault.objects.order_by("pk")),
        tuple(limit_of(row) for row in Restriction.objects.select_related("zone", "registry").order_by("pk")),
        owners,
        tuple(
            naming_of(row)
            for row in NamingRule.objects.filter(is_enabled=True, subject=NamingRule.Subject.REPOSITORY).select_related(
                "zone"
            )
        ),
    )


def rules_of(rows: QuerySet[AccessRule]) -> Iterator[Rule]:
    """Rows as values, drafts too where they are among them."""
    return (_rule(*row) for row in rows.order_by("pk").values_list(*_RULE_COLUMNS))


_RULE_COLUMNS = (
    "pk", "effect", "may_pull", "may_push", "may_delete", "pattern", "reason", "is_public", "starts_at", "ends_at",
    "team_id", "team__name", "user_id", "user__username", "robot_id", "robot__name",
    "zone_id", "zone__name", "registry_id", "registry__name", "networks",
)  # fmt: skip


def _rule(
    key: int, effect: str, may_pull: bool, may_push: bool, may_delete: bool, pattern: str, reason: str, is_public: bool,
    starts_at: datetime | None, ends_at: datetime | None,
    team_id: int | None, team: str | None, user_id: int | None, user: str | None, robot_id: int | None, robot: str | None,
    zone_id: int | None, zone: str | None, registry_id: int | None, registry: str | None, networks: str,
) -> Rule:  # fmt: skip
    """Columns as a value. There may be tens of thousands, and each change of one reads all: no model instance is made."""
    actions = chosen_actions(may_pull, may_push, may_delete)
    who = team or user or (robot and f"{ROBOT_PREFIX}{robot}") or "everyone"
    text = rule_text(effect, who, actions, registry or zone or "anywhere", pattern, networks)
    return Rule(
        key,
        f"rule {key} ({text})" + (f", {reason}" if reason else ""),
        effect == AccessRule.Effect.DENY,
        _ACTION_SETS[actions],
        pattern,
        team_id,
        user_id,
        robot_id,
        zone_id,
        registry_id,
        starts_at,
        ends_at,
        is_public,
        parse_networks(networks) if networks else (),
    )


# Shared by all rules that speak of the same actions.
_ACTION_SETS = {
    actions: frozenset(actions) for actions in (chosen_actions(*flags) for flags in product((False, True), repeat=3))
}


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
    return Place(row.pk, row.name, row.zone_id, row.zone.name, row.zone.kind, fronts, row.zone.requires_keyless)
