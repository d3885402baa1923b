"""Secrets we hand out: issue, revoke, recognise. ``ptp_<handle>_<secret>`` is a person's, ``ptr_<handle>_<secret>`` a robot's.

256 random bits need no slow hash: SHA-256 of the whole text is kept, the text itself is shown once."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Subquery
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.users.models import User
from registries.access.models import PersonalToken, PolicyEpoch, RobotAccount, Secret, StoredSecret
from registries.access.principals import Principal
from registries.access.tally import tally
from registries.access.who import is_closed, principal_of

PERSON, ROBOT = "ptp", "ptr"
MAX_SECRET_CHARACTERS: Final = 128
_SHAPE = re.compile(r"(ptp|ptr)_([0-9a-f]{16})_[A-Za-z0-9_-]{43}", re.ASCII)
_NO_HANDLE: Final = "-"
_NO_HASH: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Proved:
    """A good credential: who it is, the row it was found in, and the policy's epoch read in the same query."""

    principal: Principal
    subject: User | RobotAccount
    stored: PersonalToken | Secret
    epoch: int


def issue_personal_token(actor: Actor, user: User, name: str, expires_at: datetime | None) -> tuple[PersonalToken, str]:
    """A new token of a person and its text, which nobody can show again."""
    handle, text = _new_secret(PERSON)
    with transaction.atomic():
        stored = PersonalToken.objects.create(
            user=user, name=name, handle=handle, secret_hash=_hash(text), expires_at=expires_at
        )
        record(actor, "personaltoken.issued", stored, person=user.username, expires_at=_when(expires_at))
    return stored, text


def issue_robot_secret(actor: Actor, robot: RobotAccount, name: str, expires_at: datetime | None) -> tuple[Secret, str]:
    """One more secret of a robot and its text; those it has already stay good, so that rotation overlaps."""
    handle, text = _new_secret(ROBOT)
    with transaction.atomic():
        stored = Secret.objects.create(
            robot=robot, name=name, handle=handle, secret_hash=_hash(text), expires_at=expires_at
        )
        record(actor, "secret.issued", stored, robot=robot.login, expires_at=_when(expires_at))
    return stored, text


def revoke_secret(actor: Actor, stored: StoredSecret) -> None:
    """Good no more from the next request on; tokens made with it live on for their few minutes. Twice is once."""
    with transaction.atomic():
        now = timezone.now()
        if type(stored)._default_manager.filter(pk=stored.pk, revoked_at=None).update(revoked_at=now):
            stored.revoked_at = now
            record(actor, f"{stored._meta.model_name}.revoked", stored, handle=stored.handle)


def authenticate_secret(username: str | None, secret_text: str, now: datetime) -> Principal | None:
    """Whose secret this is; None for every kind of no. ``username`` must be the owner's, None when there is none to compare (API)."""
    proved = prove(username, secret_text, now)
    return proved.principal if proved else None


def prove(username: str | None, secret_text: str, now: datetime) -> Proved | None:
    """As authenticate_secret, with the rows. One query and one hash whatever is wrong with it, so that time tells nothing."""
    shape = _SHAPE.fullmatch(secret_text[:MAX_SECRET_CHARACTERS])
    kind, handle = (shape[1], shape[2]) if shape and len(secret_text) <= MAX_SECRET_CHARACTERS else (PERSON, _NO_HANDLE)
    stored = _find(kind, handle)
    is_same = hmac.compare_digest(_hash(secret_text), stored.secret_hash if stored else _NO_HASH)
    if stored is None or not is_same or not stored.is_live(now):
        return None
    subject = stored.user if isinstance(stored, PersonalToken) else stored.robot
    if is_closed(subject, now) or username not in (None, _login(subject)):
        return None
    tally.note_use(stored, now)
    return Proved(principal_of(subject), subject, stored, getattr(stored, "epoch", None) or 0)


def _login(subject: User | RobotAccount) -> str:
    return subject.login if isinstance(subject, RobotAccount) else subject.username


def _find(kind: str, handle: str) -> PersonalToken | Secret | None:
    epoch = Subquery(PolicyEpoch.objects.filter(pk=1).values("number"))
    if kind == ROBOT:
        return Secret.objects.select_related("robot").annotate(epoch=epoch).filter(handle=handle).first()
    return PersonalToken.objects.select_related("user").annotate(epoch=epoch).filter(handle=handle).first()


def _new_secret(prefix: str) -> tuple[str, str]:
    handle = secrets.token_hex(8)
    return handle, f"{prefix}_{handle}_{secrets.token_urlsafe(32)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _when(at: datetime | None) -> str:
    return at.isoformat() if at else ""
