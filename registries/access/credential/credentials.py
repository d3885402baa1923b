"""Secrets we hand out: issue, revoke, recognise. ``ptp_<handle>_<secret>`` is a person's, ``ptr_<handle>_<secret>`` a robot's.

256 random bits need no slow hash: SHA-256 of the whole text is kept, the text itself is shown once."""

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from portal.actor import Actor
from portal.audit.record import record
from portal.users.models import User
from registries.access.models import PersonalToken, RobotAccount, Secret, StoredSecret
from registries.access.principals import Principal
from registries.access.recognise import hash_of, recognise

PERSON, ROBOT = "ptp", "ptr"


@dataclass(frozen=True, slots=True)
class Proved:
    """A good credential: who it is, the row it was found in, and the policy's epoch read in the same query."""

    principal: Principal
    subject: User | RobotAccount
    stored: PersonalToken | Secret
    epoch: int


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a credential is good for, as it is stored; empty narrows nothing."""

    pattern: str = ""
    actions: str = ""
    registries: str = ""
    networks: str = ""


EVERYTHING: Final = Narrowing()


def issue_personal_token(
    actor: Actor,
    user: User,
    name: str,
    expires_at: datetime | None,
    narrowing: Narrowing = EVERYTHING,
    handle: str = "",
) -> tuple[PersonalToken, str]:
    """A new token of a person and its text, which nobody can show again. A handle is made up where none is given."""
    handle, text = _new_secret(PERSON, handle)
    with transaction.atomic():
        stored = PersonalToken.objects.create(
            user=user, name=name, handle=handle, secret_hash=hash_of(text), expires_at=expires_at, **asdict(narrowing)
        )
        record(actor, "personaltoken.issued", stored, person=user.username, **_told(expires_at, narrowing))
    return stored, text


def issue_robot_secret(
    actor: Actor,
    robot: RobotAccount,
    name: str,
    expires_at: datetime | None,
    narrowing: Narrowing = EVERYTHING,
    shown_to: User | None = None,
    handle: str = "",
) -> tuple[Secret, str]:
    """One more secret of a robot and its text; those it has already stay good, so that rotation overlaps. ``shown_to`` is the person
    who sees it."""
    handle, text = _new_secret(ROBOT, handle)
    with transaction.atomic():
        stored = Secret.objects.create(
            robot=robot,
            name=name,
            handle=handle,
            secret_hash=hash_of(text),
            expires_at=expires_at,
            shown_to=shown_to,
            **asdict(narrowing),
        )
        seen_by = shown_to.username if shown_to else ""
        record(actor, "secret.issued", stored, robot=robot.login, shown_to=seen_by, **_told(expires_at, narrowing))
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
    found = recognise(username, secret_text, now)
    return found.principal if found else None


def prove(username: str | None, secret_text: str, now: datetime, address: str = "") -> Proved | None:
    """As authenticate_secret, with the rows, for those who need them; ``address`` is the client's."""
    found = recognise(username, secret_text, now, address)
    if found is None:
        return None
    stored: PersonalToken | Secret | None
    if found.model is Secret:
        stored = Secret.objects.select_related("robot").filter(pk=found.key).first()
    else:
        stored = PersonalToken.objects.select_related("user").filter(pk=found.key).first()
    if stored is None:
        return None
    subject = stored.robot if isinstance(stored, Secret) else stored.user
    return Proved(found.principal, subject, stored, found.epoch)


def _new_secret(prefix: str, handle: str = "") -> tuple[str, str]:
    handle = handle or secrets.token_hex(8)
    return handle, f"{prefix}_{handle}_{secrets.token_urlsafe(32)}"


def _told(expires_at: datetime | None, narrowing: Narrowing) -> dict[str, str]:
    """For the audit: when it ends, and what it is good for."""
    narrowed = {name: value for name, value in asdict(narrowing).items() if value}
    return {"expires_at": expires_at.isoformat() if expires_at else "", **narrowed}
