"""Is it a user name and password that the asked registry knew before it came under the portal?

Asked only of what is no secret of ours. Checking bcrypt costs a processor 3 to 1,500 ms, and one push asks for several tokens. So: what
was checked is remembered for minutes in this process, under a keyed hash; who has guessed too often is refused before the check; few
checks run at once. The row is read each time all the same, so that an end counts at the next request. An unknown name costs the same
time as a known one."""

import hashlib
import hmac
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import bcrypt
from django.db import connection
from django.utils.functional import cached_property

from portal.vault import cipher, decrypted
from registries.access.adopt.models import ImportedLogin
from registries.access.counts.tally import USE_STEP, tally
from registries.access.principals import Principal
from registries.access.recognise import is_secret_of_ours
from registries.access.throttle import seconds_slowed
from registries.access.token_request import Sent
from registries.access.who import Shown, robot_principal

GOOD_SECONDS: Final = 300.0
WRONG_SECONDS: Final = 60.0
MAX_REMEMBERED: Final = 10_000
# Checks leave the processor to nobody else; a few at once, the others wait a little.
AT_ONCE: Final = 2
WAIT_SECONDS: Final = 10.0
# All that bcrypt looks at, and Distribution's own check with it.
MAX_PASSWORD_BYTES: Final = 72
# Of no password that anybody knows; its cost is written into it anew.
_DUMMY: Final = "$2b${:02d}$abcdefghijklmnopqrstuuO5QXO1Y9UuYV1mXGq6W8D1NyjX0YVUu"

_SQL: Final = """
SELECT g.name,
       (SELECT MAX(o.cost) FROM access_importedlogin o
         WHERE o.registry_id = g.id AND o.disabled_at IS NULL AND o.expires_at > %(now)s),
       l.id, l.password_hash, l.cost,
       l.disabled_at IS NULL AND l.expires_at > %(now)s AND r.is_active AND (r.expires_at IS NULL OR r.expires_at > %(now)s),
       l.last_used_at IS NULL OR l.last_used_at <= %(step)s,
       (SELECT number FROM access_policyepoch WHERE id = 1),
       r.id, r.name, r.kind, r.team_id
  FROM topology_registry g
  LEFT JOIN access_importedlogin l ON l.registry_id = g.id AND l.username = %(username)s
  LEFT JOIN access_robotaccount r ON r.id = l.robot_id
 WHERE g.service = %(service)s"""


class SlowedDownError(Exception):
    """Too many wrong passwords were shown from there: nothing is checked for so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Wait {seconds} seconds.")
        self.seconds = seconds


class BusyError(Exception):
    """So many passwords are being checked that this one did not get its turn."""


@dataclass(frozen=True, slots=True)
class Known:
    """A login that may be used: the robot it acts as, narrowed to that registry; the policy's epoch, read in the same query."""

    principal: Principal
    epoch: int


def recognise_imported(sent: Sent, service: str, address: str, now: datetime) -> Known | None:
    """None for every kind of no. Raises SlowedDownError, BusyError."""
    if is_secret_of_ours(sent.secret) or "\0" in sent.username + sent.secret + service:
        return None
    found = _read(sent.username, service, now)
    if found is None or found.most_cost is None:
        return None
    if not _is_right(found, sent, address, now) or not found.is_good:
        return None
    if found.is_use_due:
        tally.note_use(ImportedLogin, found.key, now)
    key, name, kind, team = found.robot
    shown = Shown(registries=found.registry, address=address)
    return Known(robot_principal(key, name, kind, team, shown), found.epoch)


@dataclass(frozen=True)
class _Found:
    """The row, or what stands for it: ``most_cost`` is that of the dearest hash of the registry, None where no login is left there."""

    registry: str
    most_cost: int | None
    key: int
    stored: str
    cost: int
    is_good: bool
    is_use_due: bool
    epoch: int
    robot: tuple[int, str, str, int]

    @cached_property
    def password_hash(self) -> str:
        """As in the file, or one that nobody's password has. Raises UndecryptableError."""
        text = decrypted(self.stored if self.is_good else _encrypted_dummy())
        return text if self.is_good else _DUMMY.format(self.cost)


@lru_cache(maxsize=1)
def _encrypted_dummy() -> str:
    """So that an unknown name costs what decrypting costs, too."""
    return cipher().encrypt(_DUMMY.encode()).decode()


def _read(username: str, service: str, now: datetime) -> _Found | None:
    written = connection.ops.adapt_datetimefield_value
    values: Mapping[str, Any] = {
        "username": username, "service": service, "now": written(now), "step": written(now - USE_STEP)
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_SQL, values)
        row = cursor.fetchone()
    if row is None:
        return None
    registry, most_cost, key, stored, cost, is_good, is_use_due, epoch, *robot = row
    return _Found(
        registry, most_cost, key or 0, stored or "", cost if is_good else most_cost or 0, bool(is_good), bool(is_use_due),
        epoch or 0, (robot[0], robot[1], robot[2], robot[3]),
    )  # fmt: skip


def _is_right(found: _Found, sent: Sent, address: str, now: datetime) -> bool:
    """Whether the password is the row's; remembered, else checked where nobody has guessed too often."""
    shown = _memory.key_of(found, sent)
    known = _memory.get(shown)
    if known is not None:
        return known
    wait = seconds_slowed(sent, address, now)
    if wait:
        raise SlowedDownError(wait)
    if not _checks.acquire(timeout=WAIT_SECONDS):
        raise BusyError(f"{found.registry}: no turn to check a password within {WAIT_SECONDS:g} s")
    try:
        known = _memory.get(shown)  # somebody may have checked the very same while we waited
        if known is None:
            known = _check(found, sent.secret)
            _memory.put(shown, known)
        return known
    finally:
        _checks.release()


def _check(found: _Found, password: str) -> bool:
    """A wrong one takes as long as the dearest hash of the registry would, whatever its own costs: 2^c + 2^c + ... + 2^(m-1) = 2^m."""
    shown = password.encode("utf-8", "surrogatepass")[:MAX_PASSWORD_BYTES]
    is_right = bcrypt.checkpw(shown, found.password_hash.encode()) and found.is_good
    if not is_right:
        for cost in range(found.cost, found.most_cost or 0):
            bcrypt.checkpw(shown, _DUMMY.format(cost).encode())
    return is_right


class _Memory:
    """What was checked lately. Its keys are hashes under a key of this very process: nobody can read a password from them. The stored
    hash is part of them, so that another password is another question."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key = os.urandom(32)
        self._known: OrderedDict[bytes, tuple[bool, float]] = OrderedDict()

    def key_of(self, found: _Found, sent: Sent) -> bytes:
        parts = (found.registry, sent.username, found.stored if found.is_good else "", sent.secret)
        text = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, hashlib.sha256)

    def get(self, key: bytes) -> bool | None:
        with self._lock:
            is_right, until = self._known.get(key, (False, 0.0))
            return is_right if until > time.monotonic() else None

    def put(self, key: bytes, is_right: bool) -> None:
        """The oldest gives way."""
        until = time.monotonic() + (GOOD_SECONDS if is_right else WRONG_SECONDS)
        with self._lock:
            self._known[key] = is_right, until
            self._known.move_to_end(key)
            while len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._known.clear()


_memory = _Memory()
_checks = threading.BoundedSemaphore(AT_ONCE)


def forget_checked() -> None:
    """As if this process had just begun."""
    _memory.forget()
