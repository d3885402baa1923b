"""Issue what somebody asked for with a form or over the API: once however often it is sent, and never more than can be looked after."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from portal.actor import Actor
from portal.users.models import User
from registries.access.credential.credentials import EVERYTHING, Narrowing, issue_personal_token, issue_robot_secret
from registries.access.credential.secret_state import Stored, live_secrets, not_replaced
from registries.access.models import PersonalToken, RobotAccount, Secret

MOST_OF_A_PERSON: Final = 20
MOST_OF_A_ROBOT: Final = 10
Owner = User | RobotAccount


class IssueRefusedError(Exception):
    """Nothing was issued. ``code`` is for machines, the sentence for people; ``handle`` names the secret that is in the way."""

    def __init__(self, code: str, text: str, handle: str = "") -> None:
        super().__init__(text)
        self.code, self.handle = code, handle


@dataclass(frozen=True, slots=True)
class Wanted:
    """``once`` is a word of the form it came by: the same word again is the same request, and issues nothing."""

    name: str
    expires_at: datetime | None
    narrowing: Narrowing = EVERYTHING
    once: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """``text`` is the secret, which is nowhere else."""

    stored: Stored
    text: str


def issue_wanted(
    actor: Actor, owner: Owner, wanted: Wanted, shown_to: User | None = None, replaces: Stored | None = None
) -> Issued:
    """One more secret of a person or a robot. ``shown_to`` is who sees a robot's. Raises IssueRefusedError."""
    with transaction.atomic():
        lock_owner(owner)
        handle = refuse_repeats(owner, wanted.once)
        _check_room(owner, replaces, timezone.now())
        stored: Stored
        if isinstance(owner, RobotAccount):
            stored, text = issue_robot_secret(
                actor, owner, wanted.name, wanted.expires_at, wanted.narrowing, shown_to, handle
            )
        else:
            stored, text = issue_personal_token(actor, owner, wanted.name, wanted.expires_at, wanted.narrowing, handle)
        if replaces is not None:
            type(stored)._default_manager.filter(pk=stored.pk).update(replaces=replaces.pk)
            stored.replaces_id = replaces.pk
    return Issued(stored, text)


def lock_owner(owner: Owner) -> None:
    """Whoever issues for the same owner takes turns; owners that are switched off get nothing. Raises IssueRefusedError."""
    model: Any = RobotAccount if isinstance(owner, RobotAccount) else User
    is_active = (
        model._default_manager.select_for_update().filter(pk=owner.pk).values_list("is_active", flat=True).first()
    )
    if not is_active:
        raise IssueRefusedError("owner_is_off", f"{owner} is switched off, so no secret of it would work.")


def refuse_repeats(owner: Owner, once: str) -> str:
    """The handle for this request, empty where it has no word of its own. Raises IssueRefusedError where it was answered before."""
    if not once:
        return ""
    model: Any = Secret if isinstance(owner, RobotAccount) else PersonalToken
    handle = hashlib.sha256(f"{model.__name__}:{owner.pk}:{once}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    known: Any = model._default_manager.filter(handle=handle).first()
    if known is not None:
        text = (
            f"This was sent before: “{known.name or known.handle}” was issued then and shown, once. If nobody has copied it, "
            "revoke it and issue another."
        )
        raise IssueRefusedError("already_issued", text, handle)
    return handle


def _check_room(owner: Owner, replaces: Stored | None, now: datetime) -> None:
    is_robot = isinstance(owner, RobotAccount)
    rows: Any = Secret.objects.filter(robot=owner.pk) if is_robot else PersonalToken.objects.filter(user=owner.pk)
    live = not_replaced(live_secrets(rows, now), now)
    most = MOST_OF_A_ROBOT if is_robot else MOST_OF_A_PERSON
    if live.exclude(pk=replaces.pk if replaces else None).count() >= most:
        raise IssueRefusedError(
            "too_many",
            f"{owner} has {most} secrets that work, and more than that nobody can look after. Revoke one first.",
        )
