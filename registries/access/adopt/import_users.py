"""Import the users of an htpasswd file: each becomes a login at that one registry, which acts as a robot account."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from portal.actor import Actor
from portal.audit.record import record
from portal.globs import matches_any
from portal.users.models import Team
from registries.access.adopt.htpasswd import Entry, Htpasswd, Unusable
from registries.access.adopt.models import Adoption, ImportedLogin, NameDecision
from registries.access.models import RobotAccount
from registries.topology.models import Registry

MAX_ROBOT_NAME: Final = 57
_UNFIT: Final = re.compile(r"[^a-z0-9._-]+", re.ASCII)
_RUNS: Final = re.compile(r"[._-]{2,}", re.ASCII)


@dataclass(frozen=True)
class Wish:
    """Whom the logins are to act as: ``robot`` where one is chosen for all, else one new robot each, of that team and kind.
    ``names`` are globs, none means all; ``expires_at`` is when the logins end."""

    expires_at: datetime
    team: Team | None = None
    kind: str = RobotAccount.Kind.CONSUMER
    robot: RobotAccount | None = None
    names: Sequence[str] = ()


@dataclass(frozen=True)
class Outcome:
    """One name of the file: ``what`` is imported, changed, unchanged, or left, with the reason in ``text``."""

    username: str
    what: str
    text: str = ""
    robot: str = ""
    line: int = 0


def import_users(
    actor: Actor, registry: Registry, found: Htpasswd, wish: Wish, *, is_dry_run: bool = False
) -> list[Outcome]:
    """All or nothing. Again is harmless: a login that is there keeps its robot and its end, and takes the password of the file; one that
    was disabled stays so. Raises ValueError where no robot can be made. A dry run says what would happen."""
    if wish.robot is None and wish.team is None:
        raise ValueError("Say which team the new robot accounts belong to, or choose one that is there.")
    chosen = [entry for entry in found.entries if matches_any(wish.names, entry.username)]
    with transaction.atomic():
        outcomes = [*_import(actor, registry, chosen, wish), *map(_left, found.unusable)]
        if is_dry_run:
            transaction.set_rollback(True)
        else:
            _note(actor, registry, outcomes, wish)
    return outcomes


def fitted_robot_name(wanted: str, taken: Iterable[str]) -> str:
    """A name that robots may have, near to the wanted and not taken yet: ``Shop.Reader`` becomes ``shop.reader``."""
    fitted = _RUNS.sub("-", _UNFIT.sub("-", wanted.lower()))[:MAX_ROBOT_NAME].strip("._-") or "imported"
    known = set(taken)
    name, number = fitted, 2
    while name in known:
        ending = f"-{number}"
        name, number = fitted[: MAX_ROBOT_NAME - len(ending)].rstrip("._-") + ending, number + 1
    return name


def _import(actor: Actor, registry: Registry, entries: Sequence[Entry], wish: Wish) -> list[Outcome]:
    known = {row.username: row for row in ImportedLogin.objects.filter(registry=registry).select_related("robot")}
    fresh = [entry for entry in entries if entry.username not in known]
    robots = _robots_for(actor, registry, fresh, wish)
    ImportedLogin.objects.bulk_create(
        ImportedLogin(
            registry=registry, username=entry.username, robot=robots[entry.username], password_hash=entry.password_hash,
            cost=entry.cost, expires_at=wish.expires_at,
        )
        for entry in fresh
    )  # fmt: skip
    return [
        _renewed(known[entry.username], entry)
        if entry.username in known
        else Outcome(entry.username, "imported", "", robots[entry.username].login, entry.line)
        for entry in entries
    ]


def _renewed(login: ImportedLogin, entry: Entry) -> Outcome:
    text = "disabled; it stays so" if login.disabled_at else ""
    if login.password_hash == entry.password_hash:
        return Outcome(entry.username, "unchanged", text, login.robot.login, entry.line)
    login.password_hash, login.cost = entry.password_hash, entry.cost
    login.save(update_fields=["password_hash", "cost"])
    return Outcome(
        entry.username, "changed", text or "it has the password of this file now", login.robot.login, entry.line
    )


def _robots_for(actor: Actor, registry: Registry, entries: Sequence[Entry], wish: Wish) -> dict[str, RobotAccount]:
    """The chosen one for all, or a new one for each."""
    if wish.robot is not None:
        return {entry.username: wish.robot for entry in entries}
    taken, made = set(RobotAccount.objects.values_list("name", flat=True)), []
    for entry in entries:
        name = fitted_robot_name(entry.username, taken)
        taken.add(name)
        text = f"Imported: {entry.username} at {registry}"
        made.append(RobotAccount(name=name, kind=wish.kind, team=wish.team, description=text[:255]))
    rows = RobotAccount.objects.bulk_create(made)
    for row in rows:
        record(actor, "robotaccount.created", row, robot_kind=row.kind, team=row.team.name, registry=registry.name)
    return {entry.username: row for entry, row in zip(entries, rows, strict=True)}


def _left(row: Unusable) -> Outcome:
    return Outcome(row.username, "left", row.reason, "", row.line)


def _note(actor: Actor, registry: Registry, outcomes: Sequence[Outcome], wish: Wish) -> None:
    """One event for the file, whatever its length; an imported name is no longer one to be refused."""
    adoption, _ = Adoption.objects.get_or_create(registry=registry)
    names = [row.username for row in outcomes if row.what == "imported"]
    outdated = set(NameDecision.objects.filter(adoption=adoption).values_list("username", flat=True)) & set(names)
    NameDecision.objects.filter(adoption=adoption, username__in=outdated).delete()
    counts: dict[str, Any] = {
        what: sum(row.what == what for row in outcomes) for what in ("imported", "changed", "unchanged", "left")
    }
    record(
        actor, "adoption.users_imported", adoption, **counts, names=names[:200], expires_at=wish.expires_at.isoformat(),
        robot_kind=wish.robot.kind if wish.robot else wish.kind,
    )  # fmt: skip
