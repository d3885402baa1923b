"""Whose secret is this? One query, one hash and no row for it: the token endpoint asks with each request.

The statements are written by hand, for compiling them anew each time would cost more than all the rest. The database compares times
and says yes or no, so that nothing has to be converted."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from registries.access.counts.tally import USE_STEP, tally
from registries.access.models import PersonalToken, Secret
from registries.access.principals import Principal
from registries.access.who import Shown, person_principal, robot_principal

MAX_SECRET_CHARACTERS: Final = 128
_SHAPE = re.compile(r"(ptp|ptr)_([0-9a-f]{16})_[A-Za-z0-9_-]{43}", re.ASCII)
_NO_HANDLE: Final = "-"
_NO_HASH: Final = "0" * 64

# Of both: hash, key, whether secret and account are good now, whether the last use is worth noting, the epoch; what the secret is good
# for; then who it is.
_ROBOT_SQL: Final = """
SELECT s.secret_hash, s.id,
       s.revoked_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > %(now)s)
         AND r.is_active AND (r.expires_at IS NULL OR r.expires_at > %(now)s),
       s.last_used_at IS NULL OR s.last_used_at <= %(step)s,
       (SELECT number FROM access_policyepoch WHERE id = 1),
       s.pattern, s.actions, s.registries, s.networks, s.is_keyless,
       r.id, r.name, r.kind, r.team_id
  FROM access_secret s JOIN access_robotaccount r ON r.id = s.robot_id
 WHERE s.handle = %(handle)s"""
_PERSON_SQL: Final = """
SELECT s.secret_hash, s.id,
       s.revoked_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > %(now)s) AND u.is_active,
       s.last_used_at IS NULL OR s.last_used_at <= %(step)s,
       (SELECT number FROM access_policyepoch WHERE id = 1),
       s.pattern, s.actions, s.registries, s.networks, FALSE,
       u.id, u.username, m.team_id, m.role
  FROM access_personaltoken s JOIN users_user u ON u.id = s.user_id LEFT JOIN users_membership m ON m.user_id = u.id
 WHERE s.handle = %(handle)s"""


@dataclass(frozen=True, slots=True)
class Recognised:
    """Who it is, with the teams of this moment; the row of the secret; the policy's epoch, read in the same query."""

    principal: Principal
    model: type[PersonalToken] | type[Secret]
    key: int
    epoch: int


def recognise(username: str | None, secret_text: str, now: datetime, address: str = "") -> Recognised | None:
    """None for every kind of no; the same query and hash whatever is wrong with it, so that time tells nothing. ``username`` must be
    the owner's, None when there is none to compare (API); ``address`` is the client's."""
    shape = _SHAPE.fullmatch(secret_text) if len(secret_text) <= MAX_SECRET_CHARACTERS else None
    kind, handle = (shape[1], shape[2]) if shape else ("ptp", _NO_HANDLE)
    rows = _read(_ROBOT_SQL if kind == "ptr" else _PERSON_SQL, handle, now)
    secret_hash, key, is_good, is_use_due, epoch, *_ = rows[0] if rows else (_NO_HASH, 0, False, False, 0)
    if not hmac.compare_digest(hash_of(secret_text), secret_hash) or not is_good:
        return None
    pattern, actions, at, networks, is_keyless = rows[0][5:10]
    shown = Shown(pattern, actions, at, networks, bool(is_keyless), address)
    principal = _robot(rows, shown) if kind == "ptr" else _person(rows, shown)
    if username not in (None, principal.name):
        return None
    model = Secret if kind == "ptr" else PersonalToken
    if is_use_due:
        tally.note_use(model, key, now)
    return Recognised(principal, model, key, epoch or 0)


def is_secret_of_ours(text: str) -> bool:
    """Whether it looks like a secret that we hand out."""
    return len(text) <= MAX_SECRET_CHARACTERS and _SHAPE.fullmatch(text) is not None


def hash_of(text: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _read(sql: str, handle: str, now: datetime) -> list[tuple[Any, ...]]:
    written = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(sql, {"handle": handle, "now": written(now), "step": written(now - USE_STEP)})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _robot(rows: Sequence[tuple[Any, ...]], shown: Shown) -> Principal:
    key, name, kind, team = rows[0][10:]
    return robot_principal(key, name, kind, team, shown)


def _person(rows: Sequence[tuple[Any, ...]], shown: Shown) -> Principal:
    key, username = rows[0][10:12]
    return person_principal(key, username, [(row[12], row[13]) for row in rows if row[12] is not None], shown)
